"""OpenAI's agents SDK as a client: agents_client.py - URL; calls on stdin, prints what came. No model is asked."""

import asyncio
import json
import sys

from agents.mcp import MCPServerStreamableHttp


def plain(model):
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


async def main():
    async with MCPServerStreamableHttp(params={"url": sys.argv[2]}, name="figma") as server:
        tools = [plain(tool) for tool in await server.list_tools()]
        results = [plain(await server.call_tool(name, given)) for name, given in json.load(sys.stdin)]
    print(json.dumps({"tools": tools, "results": results}))


asyncio.run(main())
