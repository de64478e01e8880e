"""An agent at work: starts the director's tools as its own environment says, reports progress, asks, and hands its work on.

worker.py stdio|http [--ask TASK]
"""

import os
import sys

import anyio
import httpx2
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client


async def work(client):
    names = [tool.name for tool in (await client.list_tools()).tools]
    assert names == ["assignment", "progress", "blocker", "hand_off", "ask"], names

    async def done(tool, **arguments):
        result = await client.call_tool(tool, arguments)
        assert not result.is_error, f"{tool}: {result.content}"
        return result.structured_content

    mine = await done("assignment")
    assert mine["task"] == os.environ["DIRECTOR_TASK"], mine
    await done("progress", percent=40, text="half way")
    await done("progress", percent=40, text="half way")
    refused = await client.call_tool("progress", {"percent": "all of it"})
    assert refused.is_error and "`percent` has to be a whole number from 0 to 100" in refused.content[0].text, refused
    words = ""
    if "--ask" in sys.argv:
        of = sys.argv[sys.argv.index("--ask") + 1]
        answered = False
        while not answered:
            said = await done("ask", question="Which <colour>?", of=of, wait=5)
            answered = said["answered"]
        words = f", {said['answer']}, says {said['by']}"
    with open("work.txt", "w") as file:
        file.write("worked\n")
    await done(
        "hand_off",
        summary=f"worked on {mine['task']}{words}",
        artifacts=["work.txt"],
        acceptance=[{"criterion": text, "met": True, "evidence": "work.txt"} for text in mine["acceptance"]],
    )


async def main():
    # The token is in the environment and nowhere else; printing it shows what is kept of that.
    token = os.environ["DIRECTOR_TOKEN"]
    print(f"my token is {token}", flush=True)
    print(f"my token is {token}", file=sys.stderr, flush=True)
    if sys.argv[1] == "http":
        url = f"{os.environ['DIRECTOR_URL']}/mcp"
        async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as http:
            async with Client(streamable_http_client(url, http_client=http)) as client:
                await work(client)
    else:
        # A client passes only a few variables on by itself.
        env = {name: value for name, value in os.environ.items() if name.startswith("DIRECTOR_")}
        server = StdioServerParameters(command=os.environ["DIRECTOR_PROGRAM"], args=["mcp"], env=env)
        async with Client(stdio_client(server)) as client:
            await work(client)


if __name__ == "__main__":
    anyio.run(main)
