"""A coding agent that speaks the Agent Client Protocol with its reference library: asks leave, works with the director's tools, ends its turn."""

import asyncio
import os
from uuid import uuid4

from acp import PROTOCOL_VERSION, Agent, InitializeResponse, NewSessionResponse, PromptResponse, RequestError, run_agent
from acp import start_tool_call, update_agent_message_text, update_tool_call
from acp.schema import AllowedOutcome, PermissionOption, ToolCallUpdate
from mcp import Client, StdioServerParameters, stdio_client

from worker import work


class Converser(Agent):
    def on_connect(self, conn):
        self.director = conn

    async def initialize(self, protocol_version, client_capabilities=None, client_info=None, **_):
        assert protocol_version == PROTOCOL_VERSION == 1, protocol_version
        assert client_info.name == "director", client_info
        assert not client_capabilities.terminal and not client_capabilities.fs.write_text_file, client_capabilities
        return InitializeResponse(protocol_version=PROTOCOL_VERSION)

    async def new_session(self, cwd, mcp_servers=None, **_):
        assert os.path.isabs(cwd) and os.path.samefile(cwd, os.getcwd()), cwd
        (self.server,) = mcp_servers
        assert self.server.name == "director", self.server
        return NewSessionResponse(session_id=uuid4().hex)

    async def prompt(self, prompt, session_id, **_):
        (block,) = prompt
        assert "`hand_off` instead of the report file" in block.text, block.text
        say = self.director.session_update
        await say(session_id, start_tool_call("t1", "write work.txt", kind="edit", status="pending"))
        options = [
            PermissionOption(option_id="n", name="No", kind="reject_once"),
            PermissionOption(option_id="y", name="Yes", kind="allow_once"),
        ]
        asked = ToolCallUpdate(tool_call_id="t1", title="write work.txt")
        leave = await self.director.request_permission(session_id=session_id, tool_call=asked, options=options)
        assert isinstance(leave.outcome, AllowedOutcome) and leave.outcome.option_id == "y", leave
        try:
            await self.director.read_text_file(session_id=session_id, path="/etc/hostname")
            raise AssertionError("files are read without the director")
        except RequestError as refused:
            assert refused.code == -32601, refused
        env = {pair.name: pair.value for pair in self.server.env}
        server = StdioServerParameters(command=self.server.command, args=self.server.args, env=env)
        async with Client(stdio_client(server)) as client:
            await work(client)
        await say(session_id, update_tool_call("t1", status="completed"))
        await say(session_id, update_agent_message_text("That is "))
        await say(session_id, update_agent_message_text("all."))
        return PromptResponse(stop_reason="end_turn")


asyncio.run(run_agent(Converser()))
