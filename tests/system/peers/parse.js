// parse.js FILE.eml... - what npm mailparser sees in each mail: one JSON line a file.
const fs = require("fs");
const crypto = require("crypto");
const { simpleParser } = require("mailparser");
(async () => {
	for (const file of process.argv.slice(2)) {
		const m = await simpleParser(fs.readFileSync(file), { skipImageLinks: true });
		console.log(JSON.stringify({
			file: file.replace(/.*\//, ""), subject: m.subject, from: m.from && m.from.value[0], to: m.to ? m.to.text : null,
			messageId: m.messageId, date: m.date && m.date.toISOString(), text: m.text, html: m.html ? m.html.length : 0,
			files: m.attachments.map((a) => ({
				name: a.filename, type: a.contentType, cid: a.cid || null, disposition: a.contentDisposition,
				sha256: crypto.createHash("sha256").update(a.content).digest("hex"),
			})),
		}));
	}
})().catch((e) => { console.error(e); process.exit(1); });
