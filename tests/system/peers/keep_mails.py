#!/usr/bin/python3
"""A real SMTP server (aiosmtpd) that keeps what it takes: DIR/NNN.eml and DIR/NNN.json (envelope); prints its port.
Options: --tls CERT KEY (STARTTLS demanded), --client-ca FILE (a client certificate of this authority demanded), --auth USER PASSWORD."""
import asyncio, json, os, ssl, sys
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult


class Keep:
    def __init__(self, folder):
        self.folder, self.n = folder, 0

    async def handle_DATA(self, server, session, envelope):
        self.n += 1
        base = os.path.join(self.folder, "%06d" % self.n)
        with open(base + ".eml", "wb") as f:
            f.write(envelope.original_content)
        with open(base + ".tmp", "w") as f:
            json.dump({"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None,
                       "auth": bool(getattr(session, "authenticated", False))}, f)
        os.rename(base + ".tmp", base + ".json")
        return "250 2.0.0 Ok: queued as %06d" % self.n


def main():
    folder, args = sys.argv[1], sys.argv[2:]
    os.makedirs(folder, exist_ok=True)
    opts = {"enable_SMTPUTF8": True, "data_size_limit": 40 * 1024 * 1024}
    if "--tls" in args:
        i = args.index("--tls")
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ctx.load_cert_chain(args[i + 1], args[i + 2])
        if "--client-ca" in args:
            ctx.load_verify_locations(args[args.index("--client-ca") + 1])
            ctx.verify_mode = ssl.CERT_REQUIRED
        opts.update(tls_context=ctx, require_starttls=True)
    if "--auth" in args:
        i = args.index("--auth")
        user, password = args[i + 1].encode(), args[i + 2].encode()

        def check(server, session, envelope, mechanism, data):
            return AuthResult(success=(data.login == user and data.password == password))
        opts.update(authenticator=check, auth_required=True, auth_require_tls="--tls" in args)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    handler = Keep(folder)
    server = loop.run_until_complete(loop.create_server(lambda: SMTP(handler, loop=loop, **opts), "127.0.0.1", 0))
    port = server.sockets[0].getsockname()[1]
    with open(os.path.join(folder, "port.tmp"), "w") as f:
        f.write(str(port))
    os.rename(os.path.join(folder, "port.tmp"), os.path.join(folder, "port"))
    loop.run_forever()


main()
