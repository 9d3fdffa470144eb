#!/usr/bin/env python3
"""Real MCP clients against the sandbox over HTTP, and the examples of docs/hosting.md.

    over_http.py PACKAGES SERVER      PACKAGES is where `setup clients http-clients` installed them

Each client lists the tools and calls some, over /mcp and over /sse, without sessions and with them.
Prints a line `ok NAME` or `FAILED NAME: why` for each.
"""

import json
import os
import re
import sys
from pathlib import Path

import check
from check import CALLS, FILE, HERE, NEW, OLD, TOOLS, expect
from model import Model
from serving import Serving, run_all, scratch_home


def sdk(command, url, protocol):
    check.sdk([*command, url], protocol)


def framework(command, url):
    """A framework that makes tools of its own: it keeps names, descriptions and schemas."""
    report = json.loads(check.run([*command, url], json.dumps(CALLS)).stdout)
    expect({it["name"] for it in report["tools"]} == TOOLS.keys(), "not every tool is listed")
    for tool in report["tools"]:
        for key in ("description", "inputSchema"):
            expect(tool[key] == TOOLS[tool["name"]][key], f"{tool['name']}: {key} is {tool[key]}")
    check.check_results(report["results"])


def example(packages, url, code):
    """An example as it stands in the documentation, with the address of this test's server and a stand-in model."""
    python = packages / ("venv-langchain" if "langchain" in code else "venv-agents") / "bin/python"
    expect(code.count("http://127.0.0.1:3333") == 1, "the example does not name the usual address once")
    model = Model("figma_file_get", {"file_key": FILE, "depth": 1})
    variables = {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "none", "FIGMA_TOKEN": "sandbox-personal"}
    # Nothing is to leave this machine.
    variables |= {"OPENAI_AGENTS_DISABLE_TRACING": "1", "LANGSMITH_TRACING": "false"}
    os.environ.update(variables)
    try:
        said = check.run([str(python), "-c", code.replace("http://127.0.0.1:3333", url)]).stdout
    finally:
        for name in variables:
            del os.environ[name]
    expect('"type":"DOCUMENT"' in said, f"the agent did not see the file: {said[:300]}")
    reading = {name for name, tool in TOOLS.items() if tool["annotations"]["readOnlyHint"]}
    expect("figma_file_get" in model.offered and set(model.offered) < reading, f"offered: {model.offered}")


def examples():
    text = (HERE / "../../../docs/hosting.md").read_text("utf-8")
    found = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    expect(len(found) == 2, f"docs/hosting.md has {len(found)} examples, not 2")
    return {"LangChain" if "langchain" in code else "agents SDK": code for code in found}


def clients(packages, stateless, sessions):
    """(name, what to run)."""
    node = packages / "node"
    run_node = str(node / "node_modules/node/bin/node")
    launcher = node / "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"

    def python(venv, program, mode="-"):
        return [str(packages / venv / "bin/python"), str(HERE / program), mode]

    python1 = python("venv-mcp1", "python1.py")
    typescript1 = [run_node, str(HERE / "typescript1.mjs"), str(node), "-"]
    fastmcp = python("venv-fastmcp", "fastmcp_client.py")
    for way, url in (("", f"{stateless}/mcp"), (", session", f"{sessions}/mcp")):
        for era in ("legacy", "modern"):
            server = ["--server-url", url, "--transport", "http"]
            yield f"MCP Inspector, {era}{way}", check.inspector, (
                [run_node, str(launcher), "--cli"], server, era)
        yield f"Python SDK 1{way}", sdk, (python1, url, OLD)
        yield f"TypeScript SDK 1{way}", sdk, (typescript1, url, OLD)
        for mode, protocol in (("legacy", OLD), ("auto", NEW)):
            yield f"Python SDK 2, {mode}{way}", sdk, (python("venv-mcp2", "python2.py", mode), url, protocol)
            typescript2 = [run_node, str(HERE / "typescript2.mjs"), str(node), mode]
            yield f"TypeScript SDK 2, {mode}{way}", sdk, (typescript2, url, protocol)
        yield f"fastmcp{way}", sdk, (fastmcp, url, NEW)
        for name in ("langchain", "agents"):
            yield f"{name}{way}", framework, (python(f"venv-{name}", f"{name}_client.py"), url)
    sse = f"{stateless}/sse"
    yield "MCP Inspector, /sse", check.inspector, (
        [run_node, str(launcher), "--cli"], ["--server-url", sse, "--transport", "sse"], "legacy")
    yield "Python SDK 1, /sse", sdk, (python1, sse, OLD)
    yield "Python SDK 2, /sse", sdk, (python("venv-mcp2", "python2.py", "legacy"), sse, OLD)
    yield "TypeScript SDK 1, /sse", sdk, (typescript1, sse, OLD)
    yield "langchain, /sse", framework, (python("venv-langchain", "langchain_client.py"), sse)
    yield "agents, POST /sse", framework, (python("venv-agents", "agents_client.py"), sse)
    for name, code in examples().items():
        yield f"the example for {name}", example, (packages, stateless, code)


def main():
    packages, binary = (Path(it).resolve() for it in sys.argv[1:])
    scratch_home(packages)
    with Serving(binary) as stateless, Serving(binary, "--http-sessions") as sessions:
        checks = clients(packages, stateless.url, sessions.url)
        code = run_all((f"{name} over HTTP", lambda test=test, given=given: test(*given)) for name, test, given in checks)
        ends = {server.stop() for server in (stateless, sessions)}
    if ends != {0}:
        print(f"FAILED the servers end well: {ends}")
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
