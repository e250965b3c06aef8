// The page in the browser: a worker generates showers of the chosen particle, the page draws and counts them.
import {geant4, Moments, observables, particle} from "./physics.js";

const FILES = ["anchored_light.onnx.json", "geant4.json"];
const LONGEST = 0.1; // seconds of a batch, so that a new particle is seen at once
const MOST = {batch: 64, showers: 10000};
const LOWEST = 0.1; // MeV, of the colour scale
const BINS = 40, SPAN = 5; // of the histograms, in standard deviations about the mean of Geant4
const COLOURS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]]; // viridis
const UNITS = [
  {unit: "MeV", digits: 1, scale: () => 1}, // visible energy
  {unit: "mm", digits: 2, scale: grid => 10 * grid.pitch[0]}, // longitudinal width
  {unit: "mm", digits: 2, scale: grid => 10 * grid.pitch[0]}, // transverse width
];

const root = document.getElementById("browser");
const find = name => root.querySelector(`[data-name="${name}"]`);
const say = text => { find("status").textContent = text; };

let card, fit, worker;
let chosen, reference; // the particle, and what Geant4 gives for it
let order = 0, batch = 1, waiting = false, running = true;
let shower, sum, counts, moments, speed; // the shower shown, the sum of all, and their statistics

/** The particle of the controls. */
function read() {
  const value = name => Number(find(name).value);
  const energy = Math.exp(value("energy"));
  find("energy-value").textContent = `${energy.toPrecision(3)} GeV`;
  for (const name of ["polar", "azimuth"]) find(`${name}-value`).textContent = `${value(name)}°`;
  for (const name of ["x", "y"]) find(`${name}-value`).textContent = `${value(name).toFixed(2)} cm`;
  return particle({energy, polar: value("polar"), azimuth: value("azimuth"), track: [value("x"), value("y")]}, card.grid);
}

/** Forget the showers of the last particle and ask for those of this one. */
function restart() {
  chosen = read();
  reference = geant4(chosen, fit);
  order += 1;
  root.dataset.showers = 0;
  [shower, sum] = [null, new Float64Array(card.grid.shape[0] * card.grid.shape[1])];
  moments = UNITS.map(() => new Moments());
  counts = UNITS.map(() => new Array(BINS).fill(0));
  ask();
}

function ask() {
  const done = moments[0].count >= MOST.showers;
  if (waiting || document.hidden || (shower && (done || !running))) return;
  waiting = true;
  worker.postMessage({order, particle: chosen, count: shower ? batch : 1});
}

/** Count the showers of a batch; one of an older particle is dropped. */
function take({cells, count, seconds, order: of}) {
  waiting = false;
  if (of === order) {
    const size = sum.length;
    for (let i = 0; i < count; i++) {
      const one = cells.subarray(i * size, (i + 1) * size);
      for (let cell = 0; cell < size; cell++) sum[cell] += one[cell];
      observables(one, chosen.momentum, card.grid).forEach((value, k) => {
        moments[k].add(value);
        const {mean, deviation} = reference[k];
        const bin = Math.floor(BINS * ((value - mean) / (2 * SPAN * deviation) + 0.5));
        if (bin >= 0 && bin < BINS) counts[k][bin] += 1;
      });
    }
    shower ??= cells.slice(0, size);
    if (count > 1) speed = count / seconds;
    batch = Math.max(2, Math.min(MOST.batch, Math.round(count * LONGEST / seconds)));
    draw();
  }
  ask();
}

function draw() {
  const number = moments[0].count;
  root.dataset.showers = number;
  if (speed) root.dataset.speed = Math.round(speed);
  say(`${number.toLocaleString("en")} showers of this particle` + (speed ? `, ${Math.round(speed)} a second` : ""));
  const mean = find("mean").checked;
  drawCells(mean ? sum.map(energy => energy / number) : shower);
  const values = observables(shower, chosen.momentum, card.grid);
  UNITS.forEach(({unit, digits, scale}, k) => {
    const {mean, error, deviation} = reference[k], own = moments[k];
    const number = value => (scale(card.grid) * value).toFixed(digits);
    const line = (value, uncertainty, spread) => `${number(value)} ± ${number(uncertainty)} ${unit}, σ ${number(spread)}`;
    find(`shower-${k}`).textContent = `${number(values[k])} ${unit}`;
    find(`generated-${k}`).textContent = own.count > 1 ? line(own.mean, own.error, own.deviation) : "…";
    find(`geant4-${k}`).textContent = line(mean, error, deviation);
    drawHistogram(find(`histogram-${k}`), counts[k]);
  });
}

/** A canvas for its size on this screen, cleared. */
function prepared(canvas) {
  const {width, height} = canvas.getBoundingClientRect(), ratio = devicePixelRatio;
  [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  return {context, width, height};
}

function colour(share) {
  const at = Math.max(0, Math.min(1, share)) * (COLOURS.length - 1), index = Math.min(COLOURS.length - 2, Math.floor(at));
  const mix = COLOURS[index].map((low, k) => Math.round(low + (at - index) * (COLOURS[index + 1][k] - low)));
  return `rgb(${mix})`;
}

/** Largest energy of the colour scale, MeV: a power of ten. */
const highest = () => 10 ** Math.ceil(Math.log10(0.5 * reference[0].mean));

function drawCells(cells) {
  const {context, width} = prepared(find("cells")), [nx, ny] = card.grid.shape, side = width / nx;
  const decades = Math.log(highest() / LOWEST);
  for (let ix = 0; ix < nx; ix++) {
    for (let iy = 0; iy < ny; iy++) {
      const energy = cells[ix * ny + iy];
      context.fillStyle = energy > LOWEST ? colour(Math.log(energy / LOWEST) / decades) : colour(0);
      context.fillRect(ix * side, (ny - 1 - iy) * side, side + 0.5, side + 0.5);
    }
  }
  const place = ([x, y]) => [(x / card.grid.pitch[0] + nx / 2) * side, (ny / 2 - y / card.grid.pitch[1]) * side];
  const from = place(chosen.point), to = place(chosen.track);
  context.strokeStyle = context.fillStyle = "#fff";
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
  context.beginPath();
  context.arc(...from, 3, 0, 2 * Math.PI);
  context.fill();
  find("scale").style.background = `linear-gradient(to right, ${[0, 0.25, 0.5, 0.75, 1].map(colour)})`;
  find("lowest").textContent = `${LOWEST} MeV`;
  find("highest").textContent = highest() < 1000 ? `${highest()} MeV` : `${highest() / 1000} GeV`;
}

function drawHistogram(canvas, bars) {
  const {context, width, height} = prepared(canvas), style = getComputedStyle(root), top = Math.max(...bars, 1);
  const place = deviations => width * (deviations / (2 * SPAN) + 0.5);
  context.fillStyle = style.getPropertyValue("--band");
  context.fillRect(place(-1), 0, place(1) - place(-1), height);
  context.fillStyle = style.getPropertyValue("--bar");
  bars.forEach((count, bin) => context.fillRect(
    bin * width / BINS, height * (1 - 0.95 * count / top), width / BINS - 1, height));
  context.fillStyle = style.getPropertyValue("--line");
  context.fillRect(place(0) - 1, 0, 2, height);
}

/** Energy of the cell under the pointer. */
function point(event) {
  const {left, top, width} = event.target.getBoundingClientRect(), [nx, ny] = card.grid.shape;
  const [ix, iy] = [Math.floor((event.clientX - left) / width * nx), ny - 1 - Math.floor((event.clientY - top) / width * ny)];
  if (!shower || ix < 0 || iy < 0 || ix >= nx || iy >= ny) return;
  const energy = find("mean").checked ? sum[ix * ny + iy] / moments[0].count : shower[ix * ny + iy];
  find("cell").textContent = `cell (${ix}, ${iy}): ${energy.toPrecision(3)} MeV`;
}

async function start() {
  const answers = await Promise.all(FILES.map(file => fetch(new URL(file, import.meta.url))));
  if (answers.some(answer => !answer.ok)) throw new Error("the site was built without npm, so it has no showers here");
  [card, fit] = await Promise.all(answers.map(answer => answer.json()));
  worker = new Worker(new URL("worker.js", import.meta.url), {type: "module"});
  worker.onmessage = ({data}) => {
    if (data.error) say(`No showers: ${data.error}`);
    else if (data.ready) restart();
    else take(data);
  };
  worker.onerror = event => say(`No showers: ${event.message ?? "the worker did not start"}`);
  worker.postMessage({model: "anchored_light.onnx", numbers: card.inputs.noise.numbers});
  for (const slider of root.querySelectorAll("input[type=range]")) slider.addEventListener("input", restart);
  find("mean").addEventListener("input", () => shower && draw());
  find("another").addEventListener("click", () => { shower = null; ask(); });
  find("pause").addEventListener("click", () => {
    running = !running;
    find("pause").textContent = running ? "Pause" : "Go on";
    ask();
  });
  find("cells").addEventListener("pointermove", point);
  document.addEventListener("visibilitychange", ask);
  addEventListener("resize", () => shower && draw());
}

start().catch(error => say(`No showers: ${error.message}`));
