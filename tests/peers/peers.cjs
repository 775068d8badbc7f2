// What other projects say, as JSON on stdout.
//   node peers.cjs commands < JSON   npos: the commands it finds in each file, see `commands`
//   node peers.cjs star              receipt-printer-encoder: a receipt in Star Line Mode, hexadecimal
"use strict";

const fs = require("fs");

// Of {file, sizes}: [offset, length] of each command, and the offsets of those npos does not know. `sizes` says how
// long one at an offset is, so that npos can be asked about all that stands behind it.
function commands({ file, sizes }) {
  const parser = require("npos").parser();
  const raw = fs.readFileSync(file);
  const known = [];
  const unknown = [];
  for (let start = 0; start < raw.length; ) {
    const { error } = parser.analyze(raw.slice(start));
    const end = error ? start + Number(/<\((\d+)\//.exec(error.message)[1]) : raw.length;
    for (const node of parser.analyze(raw.slice(start, end)).tree) {
      if (node.code !== 2) known.push([start + node.offset, node.length]);
    }
    if (error) unknown.push(end);
    start = error ? end + (sizes[end] || raw.length) : end;
  }
  return { known, unknown };
}

function star() {
  const Encoder = require("@point-of-sale/receipt-printer-encoder");
  return Buffer.from(
    new Encoder({ language: "star-line", columns: 48, codepageMapping: "star" })
      .initialize()
      .codepage("cp858")
      .bold(true)
      .line("Zoé & Co, 12,50 €")
      .bold(false)
      .size(2, 2)
      .line("Total")
      .size(1, 1)
      .barcode("4006381333931", "ean13", { height: 60, width: 2 })
      .barcode("HOLD-128", "code128", { height: 60, width: 2 })
      .qrcode("https://example.org/r/42", { model: 2, size: 4, errorlevel: "m" })
      .pulse()
      .cut("partial")
      .encode(),
  ).toString("hex");
}

const said = process.argv[2] === "star" ? star() : JSON.parse(fs.readFileSync(0)).map(commands);
process.stdout.write(JSON.stringify(said));
