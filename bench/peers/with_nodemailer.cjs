// A peer: nodemailer's pool, fed while it is idle; each copy's fields put into both bodies as it is sent.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { parseArgs } = require("node:util");

const { values: asked, positionals } = parseArgs({
  allowPositionals: true,
  options: { port: { type: "string" }, messages: { type: "string" }, connections: { type: "string" } },
});
const nodemailer = require("nodemailer");
const material = JSON.parse(fs.readFileSync(path.join(positionals[0], "copies.json"), "utf-8"));
const readers = material.readers.slice(0, Number(asked.messages));

// Cut once at its fields, as any template engine would.
const compile = (source) => {
  const parts = source.split(/\{\{ (\w+) \}\}/);
  return (reader) => parts.map((part, place) => (place % 2 ? reader[part] : part)).join("");
};
const text = compile(material.text);
const html = compile(material.html);

const pool = nodemailer.createTransport({
  pool: true,
  host: "127.0.0.1",
  port: Number(asked.port),
  secure: false,
  ignoreTLS: true,
  maxConnections: Number(asked.connections),
  maxMessages: Infinity,
});

const message = (reader) => ({
  from: `The Headache Letter <${material.sender}>`,
  to: `${reader.name} <${reader.email}>`,
  replyTo: "editor@example.org",
  subject: material.subject,
  messageId: `<${reader.message_id}>`,
  list: { id: { url: "letter.example.org", comment: "The Headache Letter" } },
  headers: {
    "List-Unsubscribe": `<${reader.unsubscribe}>`,
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
  },
  text: text(reader),
  html: html(reader),
});

const start = process.hrtime.bigint();
const before = process.cpuUsage();
let next = 0;
let left = readers.length;

const done = (error) => {
  if (error) throw error;
  left -= 1;
  if (left) return;
  const cpu = process.cpuUsage(before);
  const status = fs.readFileSync("/proc/self/status", "utf-8");
  console.log(JSON.stringify({
    seconds: Number(process.hrtime.bigint() - start) / 1e9,
    cpu: (cpu.user + cpu.system) / 1e6,
    memory: Number(/VmHWM:\s+(\d+)/.exec(status)[1]) * 1024,
  }));
  pool.close();
};

pool.on("idle", () => {
  while (pool.isIdle() && next < readers.length) pool.sendMail(message(readers[next++]), done);
});
