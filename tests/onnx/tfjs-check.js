// What TensorFlow.js itself makes of the models that tfjs.py wrote: node tfjs-check.js FOLDER. A line for each that
// differs from NAME.golden, and one with their number. With MODEL.json INPUT HEIGHT WIDTH [NODE]: the output for an
// image in INPUT, raw <f4, as JSON.
const tf = require("@tensorflow/tfjs"), fs = require("fs"), path = require("path");

const floats = (file) => new Float32Array(new Uint8Array(fs.readFileSync(file)).buffer);

async function load(file) {
  const m = JSON.parse(fs.readFileSync(file)), parts = [], weightSpecs = [];
  for (const group of m.weightsManifest) {
    weightSpecs.push(...group.weights);
    for (const p of group.paths) parts.push(fs.readFileSync(path.join(path.dirname(file), p)));
  }
  const all = new Uint8Array(Buffer.concat(parts));
  const { modelTopology, format, signature } = m;
  const handler = { load: async () => ({ modelTopology, format, signature, weightSpecs, weightData: all.buffer }) };
  const graph = !!m.modelTopology.node;
  return { graph, model: graph ? await tf.loadGraphModel(handler) : await tf.loadLayersModel(handler) };
}

function run({ graph, model }, x, node) {
  const y = graph ? model.execute(x, node) : model.predict(x);
  return Array.from((Array.isArray(y) ? y[0] : y).dataSync());
}

async function one(folder, name) {
  const gold = floats(path.join(folder, name + ".golden")), net = await load(path.join(folder, name + ".json"));
  const shape = net.model.inputs[0].shape.map((d) => (d > 0 ? d : 1)), n = shape.reduce((a, b) => a * b, 1);
  const want = gold.slice(n), got = run(net, tf.tensor(gold.slice(0, n), shape));
  let off = 0, size = 0;
  want.forEach((w, i) => { off += (got[i] - w) ** 2; size += w * w; });
  return got.length === want.length ? Math.sqrt(off / size) : Infinity;
}

// Its ReLU has no negative_slope, and does not say so; its CPU code has no convolution of N,C,H,W.
const except = ["keras-relu-all", "conv-nchw"];

(async () => {
  const [where, input, h, w, node] = process.argv.slice(2);
  await tf.setBackend("cpu");
  if (input) {
    const x = tf.tensor(floats(input), [1, +h, +w, 3]);
    return console.log(JSON.stringify(run(await load(where), x, node)));
  }
  let bad = 0, agree = 0, cannot = 0;
  for (const f of fs.readdirSync(where).sort()) {
    if (!f.endsWith(".golden")) continue;
    const name = f.slice(0, -7);
    let off = NaN;
    try { off = await one(where, name); } catch { /* an operator or setting that it does not have */ }
    if (off < 1e-5) agree++;
    else if (Number.isNaN(off) || except.includes(name)) cannot++;
    else bad++, console.log(`${name}: ${off}`);
  }
  console.log(`${agree} agree, ${bad} differ, ${cannot} it cannot run`);
})();
