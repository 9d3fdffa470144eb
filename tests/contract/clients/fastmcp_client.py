"""`fastmcp` as a client: fastmcp_client.py - URL; calls on stdin, prints what came."""

import asyncio
import json
import sys

from fastmcp import Client


def plain(model):
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


async def main():
    async with Client(sys.argv[2]) as client:
        tools = [plain(tool) for tool in await client.list_tools()]
        results = [plain(await client.call_tool_mcp(name, given)) for name, given in json.load(sys.stdin)]
        protocol, info = client.protocol_version, client.server_info
    print(json.dumps({"protocol": protocol, "server": info.name, "tools": tools, "results": results}))


asyncio.run(main())
