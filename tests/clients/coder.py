"""A coding agent as the director starts one: takes the server of tools from `--mcp-config`, works with it, says so in events."""

import json
import os
import stat
import sys

import anyio
from mcp import Client, StdioServerParameters, stdio_client

from worker import work


async def main():
    prompt = sys.stdin.read()
    assert "`hand_off` instead of the report file" in prompt, prompt
    assert "--allowedTools=mcp__director" in sys.argv, sys.argv
    token = os.environ.pop("DIRECTOR_TOKEN")
    assert not any(token in word for word in sys.argv), "others can read arguments"
    path = next(word.split("=", 1)[1] for word in sys.argv if word.startswith("--mcp-config="))
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600, oct(os.stat(path).st_mode)
    with open(path) as file:
        server = json.load(file)["mcpServers"]["director"]
    print(json.dumps({"type": "system", "subtype": "init", "session_id": "s-1"}), flush=True)
    async with Client(stdio_client(StdioServerParameters(**server))) as client:
        await work(client)
    result = {"type": "result", "subtype": "success", "is_error": False, "result": "done", "session_id": "s-1"}
    print(json.dumps(result), flush=True)


anyio.run(main)
