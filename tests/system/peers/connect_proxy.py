#!/usr/bin/python3
"""An HTTP proxy that only tunnels (CONNECT): FILE gets a line for each tunnel; prints its port into FILE.port."""
import asyncio, os, sys


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()


async def serve(reader, writer):
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    method, where, _ = head.split("\r\n", 1)[0].split(" ")
    with open(sys.argv[1], "a") as f:
        f.write(method + " " + where + "\n")
    if method != "CONNECT":
        writer.write(b"HTTP/1.1 405 no\r\n\r\n")
        writer.close()
        return
    host, port = where.rsplit(":", 1)
    there, away = await asyncio.open_connection(host, int(port))
    writer.write(b"HTTP/1.1 200 connected\r\n\r\n")
    await asyncio.gather(pump(reader, away), pump(there, writer))


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    with open(sys.argv[1] + ".tmp", "w") as f:
        f.write(str(server.sockets[0].getsockname()[1]))
    os.rename(sys.argv[1] + ".tmp", sys.argv[1] + ".port")
    await server.serve_forever()


asyncio.run(main())
