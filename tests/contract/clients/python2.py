"""The Python SDK 2.x as a client: python2.py MODE SERVER ARGUMENT… or python2.py MODE URL; calls on stdin, prints what came."""

import asyncio
import json
import sys

from mcp import StdioServerParameters
from mcp.client.client import Client
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
    async with Client(transport(*sys.argv[2:]), mode=sys.argv[1]) as client:
        tools = (await client.list_tools()).tools
        results = [await client.call_tool(name, arguments) for name, arguments in json.load(sys.stdin)]
        protocol, info = client.protocol_version, client.server_info
    print(json.dumps({
        "protocol": protocol,
        "server": info.name if info else None,
        "tools": [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools],
        "results": [result.model_dump(mode="json", by_alias=True, exclude_none=True) for result in results],
    }))


asyncio.run(main())
