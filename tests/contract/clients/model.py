"""A stand-in for OpenAI's API, for agents in examples: it asks for one call of a tool, then tells what came.

Speaks as much of the Responses API and of chat completions as the agents SDK and LangChain use.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Model(ThreadingHTTPServer):
    """Listens at `url`; `offered` holds the names of the tools that the last request offered."""

    def __init__(self, tool, arguments):
        super().__init__(("127.0.0.1", 0), Handler)
        self.call = {"name": tool, "arguments": json.dumps(arguments)}
        self.offered = []
        self.url = f"http://127.0.0.1:{self.server_port}/v1"
        threading.Thread(target=self.serve_forever, daemon=True).start()


def texts(value):
    """Every text in what a tool gave, however the client wrapped it."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(texts(it) for it in value)
    return texts(value.get("text", ""))


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        tools = asked.get("tools", [])
        self.server.offered = [tool.get("name") or tool["function"]["name"] for tool in tools]
        answer = self.from_responses(asked) if self.path.endswith("/responses") else self.from_completions(asked)
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def from_responses(self, asked):
        given = [it["output"] for it in asked["input"] if it.get("type") == "function_call_output"]
        if given:
            content = {"type": "output_text", "text": texts(given[-1]), "annotations": []}
            item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [content]}
        else:
            item = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "status": "completed", **self.server.call}
        tokens = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
        details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
        return {
            "id": "resp_1", "object": "response", "created_at": 0, "model": "stand-in", "status": "completed",
            "output": [item], "parallel_tool_calls": False, "tool_choice": "auto", "tools": [],
            "usage": {**tokens, **details},
        }  # fmt: skip

    def from_completions(self, asked):
        given = [it["content"] for it in asked["messages"] if it["role"] == "tool"]
        if given:
            message, reason = {"role": "assistant", "content": texts(given[-1])}, "stop"
        else:
            call = {"id": "call_1", "type": "function", "function": self.server.call}
            message, reason = {"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls"
        choice = {"index": 0, "message": message, "finish_reason": reason}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return {
            "id": "c_1", "object": "chat.completion", "created": 0, "model": "stand-in",
            "choices": [choice], "usage": usage,
        }  # fmt: skip

    def log_message(self, *_):
        pass
