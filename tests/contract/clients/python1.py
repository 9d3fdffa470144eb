"""The Python SDK 1.x as a client: python1.py - SERVER ARGUMENT…; calls on stdin, prints what came."""

import asyncio
import json
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


async def main():
    server = StdioServerParameters(command=sys.argv[2], args=sys.argv[3:])
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
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
