// What other projects say, as JSON on stdout.
//   node peers.cjs commands FILE...   npos: per file the commands it finds, [offset, length], or null where it gives up
//   node peers.cjs star               receipt-printer-encoder: a receipt in Star Line Mode, hexadecimal
"use strict";

const fs = require("fs");

const [task, ...files] = process.argv.slice(2);

function commands(file) {
  const found = require("npos").parser().analyze(fs.readFileSync(file));
  return found.error ? null : found.tree.filter((node) => node.code !== 2).map((node) => [node.offset, node.length]);
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

process.stdout.write(JSON.stringify(task === "star" ? star() : files.map(commands)));
