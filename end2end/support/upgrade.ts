import { type IncomingHttpHeaders, request as ask } from "node:http";
import { request as askTls } from "node:https";

/** The status that an attempt to upgrade to a socket is answered with. */
export function upgrade(address: string, headers: IncomingHttpHeaders): Promise<number | undefined> {
  return new Promise((answered, fail) => {
    const asked = (address.startsWith("https:") ? askTls : ask)(address, {
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "AAECAwQFBgcICQoLDA0ODw==",
        ...headers,
      },
    });
    asked.on("upgrade", (answer, socket) => {
      socket.destroy();
      answered(answer.statusCode);
    });
    asked.on("response", (answer) => {
      answer.resume();
      answered(answer.statusCode);
    });
    asked.on("error", fail);
    asked.end();
  });
}
