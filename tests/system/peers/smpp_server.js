// smpp_server.js - a server on npm smpp: takes texts, answers with ids in hex, reports with the same id in padded decimal, writes what
// it took as JSON lines. Prints its port. The first bind is refused with 0x0E and no body when a third argument says so.
//   node smpp_server.js FILE [refuse-first]
'use strict';
const fs = require('fs');
const smpp = require('smpp');
const out = process.argv[2];
let refuse = process.argv[3] === 'refuse-first';
let last = 0x39f90000;
const parts = new Map();

function line(o) {
  fs.appendFileSync(out, JSON.stringify(o) + '\n');
}
function take(pdu, id) {
  const m = pdu.short_message;
  const text = m.message;
  const udh = m.udh && m.udh[0];
  if (!udh) {
    line({ to: pdu.destination_addr, from: pdu.source_addr, text, segments: 1, data_coding: pdu.data_coding });
    return;
  }
  const b = udh.buffer ? Buffer.from(udh) : Buffer.from(udh);
  const ref = b[2], total = b[3], seq = b[4];
  const key = pdu.destination_addr + '/' + ref;
  const p = parts.get(key) || { got: [], n: 0 };
  p.got[seq - 1] = text;
  p.n++;
  parts.set(key, p);
  if (p.n === total) {
    parts.delete(key);
    line({ to: pdu.destination_addr, from: pdu.source_addr, text: p.got.join(''), segments: total, data_coding: pdu.data_coding });
  }
}
const server = smpp.createServer((session) => {
  session.on('error', () => {});
  session.on('close', () => {});
  const bind = (pdu) => {
    if (refuse || pdu.system_id !== 'bhxh' || pdu.password !== 'bimat77') {
      refuse = false;
      session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }));
      session.close();
      return;
    }
    line({ bound: pdu.command, interface_version: pdu.interface_version });
    session.send(pdu.response());
  };
  session.on('bind_transceiver', bind);
  session.on('bind_transmitter', bind);
  session.on('bind_receiver', bind);
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { line({ unbound: true }); session.send(pdu.response()); session.close(); });
  session.on('submit_sm', (pdu) => {
    const id = (++last).toString(16);
    take(pdu, id);
    session.send(pdu.response({ message_id: id }));
    if (pdu.registered_delivery & 1) {
      const dec = String(parseInt(id, 16)).padStart(10, '0');
      setTimeout(() => session.deliver_sm({
        source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: 4,
        short_message: `id:${dec} sub:001 dlvrd:001 submit date:2611220930 done date:2611220931 stat:DELIVRD err:000 text:`,
      }, (res) => line({ report: res.command_status })), 20);
    }
  });
});
server.listen(0, '127.0.0.1', function () {
  const a = (server.address ? server.address() : this.address());
  process.stdout.write(a.port + '\n');
});
