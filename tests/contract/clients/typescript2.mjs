// The TypeScript SDK 2.x as a client: typescript2.mjs PACKAGES MODE SERVER ARGUMENT… or … MODE URL; calls on stdin,
// prints what came.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [, , packages, mode, command, ...args] = process.argv;
const load = (name) => import(pathToFileURL(createRequire(`${packages}/`).resolve(name)));
const { Client, SSEClientTransport, StreamableHTTPClientTransport } = await load("@modelcontextprotocol/client");
const { StdioClientTransport } = await load("@modelcontextprotocol/client/stdio");

const versionNegotiation = { mode: mode.startsWith("20") ? { pin: mode } : mode };
const client = new Client({ name: "contract", version: "1" }, { versionNegotiation });
const transport = command.endsWith("/sse") ? new SSEClientTransport(new URL(command))
  : command.startsWith("http") ? new StreamableHTTPClientTransport(new URL(command))
  : new StdioClientTransport({ command, args });
await client.connect(transport);
const protocol = client.getNegotiatedProtocolVersion();
const { tools } = await client.listTools();
const results = [];
for (const [name, given] of JSON.parse(readFileSync(0))) {
  results.push(await client.callTool({ name, arguments: given }));
}
console.log(JSON.stringify({ protocol, server: client.getServerVersion()?.name, tools, results }));
await client.close();
