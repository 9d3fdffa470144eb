#!/usr/bin/env python3
"""Real MCP clients against the sandbox over stdio: each lists the tools and calls some.

    check.py PACKAGES SERVER      PACKAGES is where `setup clients` installed them; SERVER is the binary
    check.py --plain SERVER…      one client without an SDK; SERVER can begin with what runs the binary
    check.py --self-test          breaks a good answer once in each way and demands that it is noticed

Each client is a small program of its SDK that prints what it got. What must be in it stands here once,
for all of them. Prints a line `ok NAME` or `FAILED NAME: why` for each.
"""

import copy
import json
import subprocess
import sys
from pathlib import Path

from serving import no_settings, run_all, scratch_home

HERE = Path(__file__).parent
OLD, NEW = "2025-11-25", "2026-07-28"
# The listing as it is committed, which the server's own tests hold byte for byte.
TOOLS = {it.stem: json.loads(it.read_text("utf-8")) for it in HERE.glob("../../../tool-schemas/*.json")}
FILE = "ShopAppSample0000000001a"  # PRODUCT_FILE of the sandbox
CALLS = [
    ("figma_me_get", {}),
    ("figma_file_get", {"file_key": FILE, "depth": 1}),
    ("figma_file_comments_list", {"file_key": FILE}),
    ("figma_file_get", {"file_key": FILE, "dpeth": 1}),
]


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def check_tools(tools):
    names = [tool["name"] for tool in tools]
    expect(len(TOOLS) >= 55, f"only {len(TOOLS)} tools are committed")
    expect(len(names) == len(TOOLS), f"{len(names)} tools are listed, not {len(TOOLS)}")
    expect(set(names) == TOOLS.keys(), f"listed or committed only: {set(names) ^ TOOLS.keys()}")
    for tool in tools:
        for key, value in TOOLS[tool["name"]].items():
            expect(tool.get(key) == value, f"{tool['name']}: {key} is {tool.get(key)}, not {value}")


def text_of(result, is_error=False):
    expect(bool(result.get("isError")) == is_error, f"isError is {result.get('isError')}: {str(result)[:300]}")
    expect([block["type"] for block in result["content"]] == ["text"], "the result is not one text block")
    return result["content"][0]["text"]


def check_results(results):
    me, file, comments, refused = results
    me = json.loads(text_of(me))
    expect(me["handle"] and "@" in me["email"] and me["id"], f"figma_me_get: {me}")
    file = json.loads(text_of(file))
    expect(file["name"] and file["document"]["type"] == "DOCUMENT", "figma_file_get: no document")
    pages = file["document"]["children"]
    expect(pages and all(page["type"] == "CANVAS" for page in pages), "figma_file_get: no pages")
    expect(not any(page.get("children") for page in pages), "figma_file_get: deeper than depth 1")
    comments = json.loads(text_of(comments))["comments"]
    expect(comments and all(it["message"] and it["user"]["handle"] for it in comments), "no comments")
    refused = text_of(refused, is_error=True)
    expect("`dpeth`" in refused and "`depth`" in refused, f"the refusal names no near miss: {refused}")


def check_report(report, protocol, is_introduced=True):
    expect(report["protocol"] == protocol, f"protocol {report['protocol']}, not {protocol}")
    # A client that neither initialises nor discovers has not asked who the server is.
    expect(report["server"] == "figma-mcp" or not is_introduced, f"the server calls itself {report['server']}")
    check_tools(report["tools"])
    check_results(report["results"])


def run(command, given="", code=0):
    """Runs a client within a minute. Its HOME is a scratch folder: the Inspector keeps things there."""
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)
    expect(done.returncode == code, f"exit code {done.returncode}, not {code}: {done.stderr[-600:]}")
    return done


def sdk(command, protocol, is_introduced=True):
    report = json.loads(run(command, json.dumps(CALLS)).stdout)
    check_report(report, protocol, is_introduced)


def inspector(command, server, era):
    def ask(method, *arguments, code=0):
        whole = [*command, *server, "--protocol-era", era, "--method", method, "--format", "json", *arguments]
        done = run(whole, code=code)
        return json.loads(done.stdout)["result"], done.stderr

    # -q leaves nothing on stderr but what --strict finds.
    listing, warnings = ask("tools/list", "--strict", "-q")
    expect(not warnings.strip(), f"--strict: {warnings.strip()}")
    check_tools(listing["tools"])
    results = []
    for name, arguments in CALLS:
        pairs = [part for key, value in arguments.items() for part in ("--tool-arg", f"{key}={json.dumps(value)}")]
        refused = "dpeth" in arguments
        # 5: the tool's result is an error.
        results.append(ask("tools/call", "--tool-name", name, *pairs, code=5 if refused else 0)[0])
    check_results(results)


def clients(packages, binary):
    """(name, what to run)."""
    server = [str(binary), "serve", "--sandbox"]
    node = packages / "node"
    run_node = str(node / "node_modules/node/bin/node")
    launcher = node / "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"
    for era in ("legacy", "auto", "modern"):
        yield f"MCP Inspector, {era}", lambda era=era: inspector([run_node, str(launcher), "--cli"], server, era)
    python = packages / "venv-mcp1/bin/python"
    yield "Python SDK 1", lambda: sdk([str(python), str(HERE / "python1.py"), "-", *server], OLD)
    python = packages / "venv-mcp2/bin/python"
    for mode, protocol in (("legacy", OLD), ("auto", NEW), (NEW, NEW)):
        command = [str(python), str(HERE / "python2.py"), mode, *server]
        given = (command, protocol, mode != NEW)
        yield f"Python SDK 2, {mode}", lambda given=given: sdk(*given)
    command = [run_node, str(HERE / "typescript1.mjs"), str(node), "-", *server]
    yield "TypeScript SDK 1", lambda command=command: sdk(command, OLD)
    for mode, protocol in (("legacy", OLD), ("auto", NEW), (NEW, NEW)):
        command = [run_node, str(HERE / "typescript2.mjs"), str(node), mode, *server]
        yield f"TypeScript SDK 2, {mode}", lambda command=command, protocol=protocol: sdk(command, protocol)


def self_test():
    """A made-up good report, and that report with one thing wrong."""

    def result(value, is_error=False):
        text = value if isinstance(value, str) else json.dumps(value)
        return {"content": [{"type": "text", "text": text}], "isError": is_error}

    def good():
        return {
            "protocol": OLD,
            "server": "figma-mcp",
            "tools": copy.deepcopy(list(TOOLS.values())),
            "results": [
                result({"id": "1", "handle": "h", "email": "a@b"}),
                result({"name": "n", "document": {"type": "DOCUMENT", "children": [{"type": "CANVAS"}]}}),
                result({"comments": [{"message": "m", "user": {"handle": "h"}}]}),
                result("argument `dpeth` is not known; did you mean `depth`?", True),
            ],
        }

    def set_result(index, value):
        return lambda report: report["results"].__setitem__(index, value)

    deep = {"name": "n", "document": {"type": "DOCUMENT", "children": [{"type": "CANVAS", "children": [{}]}]}}
    changes = {
        "old protocol": lambda report: report.update(protocol="2024-11-05"),
        "other server": lambda report: report.update(server="rmcp"),
        "a tool less": lambda report: report["tools"].pop(),
        "a tool twice": lambda report: report["tools"].__setitem__(-1, report["tools"][-2]),
        "a title lost": lambda report: report["tools"][0].pop("title"),
        "a hint lost": lambda report: report["tools"][0]["annotations"].pop("openWorldHint"),
        "a schema changed": lambda report: report["tools"][0]["inputSchema"].update(type="array"),
        "nobody": set_result(0, result("null")),
        "an error": set_result(0, result({"id": "1", "handle": "h", "email": "a@b"}, True)),
        "too deep": set_result(1, result(deep)),
        "no comments": set_result(2, result({"comments": []})),
        "an error that is none": set_result(3, result("`dpeth` `depth`")),
        "a refusal without help": set_result(3, result("bad argument", True)),
    }
    check_report(good(), OLD)
    missed = []
    for name, change in changes.items():
        report = good()
        change(report)
        try:
            check_report(report, OLD)
            missed.append(name)
        except (AssertionError, KeyError, TypeError):
            pass
    print(f"{len(changes) - len(missed)} of {len(changes)} deliberate defects noticed", *missed, sep="; ")
    return 1 if missed else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if sys.argv[1:2] == ["--plain"]:
        no_settings()
        sdk([sys.executable, str(HERE / "plain.py"), *sys.argv[2:], "serve", "--sandbox"], OLD)
        return 0
    packages, binary = (Path(it).resolve() for it in sys.argv[1:])
    scratch_home(packages)
    return run_all(clients(packages, binary))


if __name__ == "__main__":
    sys.exit(main())
