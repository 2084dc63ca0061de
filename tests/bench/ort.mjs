// ONNX Runtime on one thread, for bench.py. usage: node ort.mjs PACKAGE NETWORK.onnx
// For each line on standard input: forward passes for its number of seconds, then processor seconds of a pass, a line.
import { createRequire } from "node:module";
import readline from "node:readline";
const ort = createRequire(process.argv[2] + "/")("onnxruntime-node");
const options = { intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: "all" };
const net = await ort.InferenceSession.create(process.argv[3], options);
const shape = net.inputMetadata[0].shape.map((d) => (typeof d === "number" && d > 0 ? d : 1));
const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.random() * 2 - 1);
const feeds = { [net.inputNames[0]]: new ort.Tensor("float32", data, shape) };
const seconds = () => { const u = process.cpuUsage(); return (u.user + u.system) * 1e-6; };
for (let i = 0; i < 3; i++) await net.run(feeds);
for await (const line of readline.createInterface({ input: process.stdin })) {
    const most = parseFloat(line), start = seconds();
    let n = 0;
    do { await net.run(feeds); n++; } while (seconds() - start < most);
    console.log((seconds() - start) / n);
}
