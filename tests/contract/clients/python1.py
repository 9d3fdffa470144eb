"""The Python SDK 1.x as a client: python1.py - SERVER ARGUMENT… or python1.py - URL; calls on stdin, prints what came."""

import asyncio
import json
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client


def transport(server, *arguments):
    if server.endswith("/sse"):
        return sse_client(server)
    if server.startswith("http"):
        return streamable_http_client(server)
    return stdio_client(StdioServerParameters(command=server, args=list(arguments)))


async def main():
    async with transport(*sys.argv[2:]) as streams, ClientSession(*streams[:2]) as session:
        hello = await session.initialize()
        tools = (await session.list_tools()).tools
        results = [await session.call_tool(name, arguments) for name, arguments in json.load(sys.stdin)]
    print(json.dumps({
        "protocol": hello.protocolVersion,
        "server": hello.serverInfo.name,
        "tools": [tool.model_dump(mode="json", exclude_none=True) for tool in tools],
        "results": [result.model_dump(mode="json", exclude_none=True) for result in results],
    }))


asyncio.run(main())
