// Generates showers beside the page, so that its controls answer at once.
import {normal} from "./physics.js";

const THREADS = 1; // more need headers that pages on plain hosts do not send
let ort, session, noise;

async function start({model, numbers}) {
  ort = await import("./ort.wasm.bundle.min.mjs");
  ort.env.wasm.numThreads = THREADS;
  ort.env.wasm.wasmPaths = {wasm: new URL("ort-wasm-simd-threaded.wasm", import.meta.url).href};
  session = await ort.InferenceSession.create(new URL(model, import.meta.url).href);
  noise = numbers;
}

async function generate({particle, count}) {
  const conditions = new Float32Array(5 * count);
  for (let i = 0; i < count; i++) conditions.set([...particle.momentum, ...particle.point], 5 * i);
  const began = performance.now();
  const {cells} = await session.run({
    noise: new ort.Tensor("float32", normal(count * noise), [count, noise]),
    conditions: new ort.Tensor("float32", conditions, [count, 5]),
  });
  return {cells: cells.data, seconds: (performance.now() - began) / 1000};
}

self.onmessage = async ({data}) => {
  try {
    if (data.model) {
      await start(data);
      self.postMessage({ready: true});
    } else {
      const made = await generate(data);
      self.postMessage({...made, order: data.order, count: data.count}, [made.cells.buffer]);
    }
  } catch (error) {
    self.postMessage({error: `${error.message ?? error}`});
  }
};
