"""A client without an SDK, for where none runs: plain.py SERVER ARGUMENT…; calls on stdin, prints what came."""

import json
import subprocess
import sys

server = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")


def send(message):
    server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    server.stdin.flush()


def ask(method, params, number):
    send({"id": number, "method": method, "params": params})
    for line in server.stdout:
        message = json.loads(line)  # anything but protocol on stdout ends the test here
        if message.get("id") == number:
            return message["result"]
    raise SystemExit(f"the server ended before it answered {method}")


client = {"name": "contract", "version": "1"}
hello = ask("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client}, 0)
send({"method": "notifications/initialized"})
tools = ask("tools/list", {}, 1)["tools"]
calls = enumerate(json.load(sys.stdin), 2)
results = [ask("tools/call", {"name": name, "arguments": given}, number) for number, (name, given) in calls]
server.stdin.close()
# At the end of its input the server is to go, and in peace.
code = server.wait(timeout=20)
if code != 0:
    raise SystemExit(f"the server ended with code {code}")
print(json.dumps({
    "protocol": hello["protocolVersion"],
    "server": hello["serverInfo"]["name"],
    "tools": tools,
    "results": results,
}))
