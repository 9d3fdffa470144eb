// The TypeScript SDK 1.x as a client: typescript1.mjs PACKAGES - SERVER ARGUMENT… or … - URL; calls on stdin, prints
// what came.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [, , packages, , command, ...args] = process.argv;
const load = (name) => import(pathToFileURL(createRequire(`${packages}/`).resolve(name)));
const { Client } = await load("@modelcontextprotocol/sdk/client/index.js");
const { StdioClientTransport } = await load("@modelcontextprotocol/sdk/client/stdio.js");

const { SSEClientTransport } = await load("@modelcontextprotocol/sdk/client/sse.js");
const { StreamableHTTPClientTransport } = await load("@modelcontextprotocol/sdk/client/streamableHttp.js");

const transport = command.endsWith("/sse") ? new SSEClientTransport(new URL(command))
  : command.startsWith("http") ? new StreamableHTTPClientTransport(new URL(command))
  : new StdioClientTransport({ command, args });
let protocol;
const setProtocolVersion = transport.setProtocolVersion?.bind(transport);
transport.setProtocolVersion = (version) => { protocol = version; setProtocolVersion?.(version); };
const client = new Client({ name: "contract", version: "1" });
await client.connect(transport);
const { tools } = await client.listTools();
const results = [];
for (const [name, given] of JSON.parse(readFileSync(0))) {
  results.push(await client.callTool({ name, arguments: given }));
}
console.log(JSON.stringify({ protocol, server: client.getServerVersion()?.name, tools, results }));
await client.close();
