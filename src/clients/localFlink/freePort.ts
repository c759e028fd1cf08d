import * as net from "node:net";
import { FlinkError } from "../../core/errors";

/** How many ports from the wanted one on are tried. */
const tries = 100;

/** The first port from `wanted` on that nothing uses on this machine's loopback addresses. Throws `local-flink-port-taken`. */
export async function freePortFrom(wanted: number): Promise<number> {
  for (let port = wanted; port < wanted + tries && port <= 65535; port++) {
    if (await isFree(port)) return port;
  }
  throw new FlinkError("local-flink-port-taken", { port: wanted });
}

/** Any free port. */
export function anyFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Both loopback addresses count: a client that says `localhost` may get either. */
async function isFree(port: number): Promise<boolean> {
  for (const host of ["127.0.0.1", "::1"]) {
    if ((await answers(port, host)) || !(await canListen(port, host))) return false;
  }
  return true;
}

/** Where a listener on all addresses exists, macOS lets another listen on one of them; so ask first. */
function answers(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host });
    const settle = (value: boolean): void => {
      socket.destroy();
      resolve(value);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    // Without IPv6 there is nothing to collide with.
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT"));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
