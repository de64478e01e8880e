"""An assistant's session by MCP: plans a sprint, submits it, asks about it, answers what waits for a person, reads the report.

assistant.py MODE http URL TOKEN
assistant.py MODE stdio COMMAND...

MODE is `auto` (the newest version of the protocol that both know) or `legacy` (with the handshake of older ones).
"""

import sys

import anyio
import httpx2
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

SPRINT = """
[sprint]
id = "{id}"
[team.product]
agent = "person"
kinds = ["research"]
[[task]]
id = "choose"
kind = "research"
title = "Which colour?"
[[task]]
id = "paint"
depends_on = ["choose"]
run = "echo red > colour.txt"
"""


async def done(client, tool, **arguments):
    """The text and the structured content of a tool that does what it is asked."""
    result = await client.call_tool(tool, arguments)
    text = "\n".join(block.text for block in result.content)
    assert not result.is_error, f"{tool}: {text}"
    return text, result.structured_content


async def until(look, what):
    with anyio.fail_after(240):
        while True:
            found = await look()
            if found is not None:
                return found
            await anyio.sleep(0.05)
    raise AssertionError(what)


async def session(client, name):
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    for needed in ["plan", "submit", "status", "why", "inbox", "answer", "approve", "reject", "report", "standup"]:
        assert tools[needed].description, needed
    assert tools["status"].annotations.read_only_hint and not tools["submit"].annotations.read_only_hint
    assert tools["cancel_sprint"].annotations.destructive_hint and not tools["answer"].annotations.destructive_hint

    file = SPRINT.replace("{id}", name)
    text, plan = await done(client, "plan", file=file)
    assert plan["total_tasks"] == 2 and plan["critical_path"] == ["choose", "paint"], plan
    assert "## Critical Path" in text, text

    text, taken = await done(client, "submit", file=file)
    assert taken["sprint"] == name and taken["seq"] > 0, taken

    async def waiting():
        _, inbox = await done(client, "inbox")
        return next((item for item in inbox["inbox"] if item["sprint"] == name), None)

    item = await until(waiting, "something waits")
    text, why = await done(client, "why", task="paint", sprint=name)
    assert "choose" in text, text

    refused = await client.call_tool("why", {"task": "pain", "sprint": name})
    assert refused.is_error and "did you mean `paint`?" in refused.content[0].text, refused

    await done(client, "answer", item=item["id"], text="red")
    again = await client.call_tool("answer", {"item": item["id"], "text": "blue"})
    assert again.is_error and "nothing numbered" in again.content[0].text, again

    async def over():
        _, status = await done(client, "status", sprint=name)
        return status if status["state"] == "done" else None

    await until(over, "the sprint is done")
    text, report = await done(client, "report", sprint=name)
    assert report["outcome"] == "done" and len(report["tasks"]) == 2, report
    text, _ = await done(client, "standup", sprint=name)
    assert "paint" in text, text


async def main():
    mode, way, *rest = sys.argv[1:]
    name = f"{mode}-{way}"
    if way == "http":
        url, token = rest
        async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as http:
            async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
                await session(client, name)
    else:
        command, *args = rest
        server = stdio_client(StdioServerParameters(command=command, args=args))
        async with Client(server, mode=mode) as client:
            await session(client, name)


anyio.run(main)
