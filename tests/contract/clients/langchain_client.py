"""`langchain-mcp-adapters` as a client: langchain_client.py - URL; calls on stdin, prints what came.

LangChain makes tools of its own of what is listed; here they are turned back into what they were made of.
"""

import asyncio
import json
import sys

from langchain_core.messages import ToolCall
from langchain_mcp_adapters.client import MultiServerMCPClient


async def main():
    url = sys.argv[2]
    transport = "sse" if url.endswith("/sse") else "streamable_http"
    client = MultiServerMCPClient({"figma": {"transport": transport, "url": url}})
    tools = {tool.name: tool for tool in await client.get_tools()}
    results = []
    for name, given in json.load(sys.stdin):
        message = await tools[name].ainvoke(ToolCall(name=name, args=given, id="1", type="tool_call"))
        content = [{key: block[key] for key in ("type", "text")} for block in message.content]
        results.append({"content": content, "isError": message.status == "error"})
    listed = [
        {"name": tool.name, "description": tool.description, "inputSchema": tool.args_schema}
        for tool in tools.values()
    ]
    print(json.dumps({"tools": listed, "results": results}))


asyncio.run(main())
