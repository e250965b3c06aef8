// Particles, observables and means of Geant4 for the page. Pure functions; units as in ecalgen: GeV, cm, MeV.

/** The particle of polar and azimuthal angle (degrees) whose track crosses the reference plane at `track` (cm). */
export function particle({energy, polar, azimuth, track}, grid) {
  const [theta, phi] = [polar, azimuth].map(angle => angle * Math.PI / 180);
  const momentum = [Math.sin(theta) * Math.cos(phi), Math.sin(theta) * Math.sin(phi), Math.cos(theta)]
    .map(part => energy * part);
  const slopes = [momentum[0] / momentum[2], momentum[1] / momentum[2]];
  const point = track.map((where, axis) => where - grid.reference_depth * slopes[axis]);
  return {energy, momentum, slopes, point, track};
}

/** Sum (MeV) and the two widths (cells) of a shower; 0 for an empty one. See ecalgen/data/observables.py. */
export function observables(cells, momentum, grid) {
  const [nx, ny] = grid.shape;
  const transverse = Math.hypot(momentum[0], momentum[1]);
  const n = transverse > 0 ? [momentum[0] / transverse, momentum[1] / transverse] : [1, 0];
  const t = [-n[1], n[0]];
  let sum = 0;
  const moments = {along: [0, 0], across: [0, 0]};
  for (let ix = 0; ix < nx; ix++) {
    for (let iy = 0; iy < ny; iy++) {
      const energy = cells[ix * ny + iy];
      sum += energy;
      for (const [name, axis] of [["along", n], ["across", t]]) {
        const distance = ix * axis[0] + iy * axis[1];
        moments[name][0] += energy * distance;
        moments[name][1] += energy * distance * distance;
      }
    }
  }
  const width = ([first, second]) => sum > 0 ? Math.sqrt(Math.max(0, second / sum - (first / sum) ** 2)) : 0;
  return [sum, width(moments.along), width(moments.across)];
}

/** The five variables of the fit in [-1, 1], with the particle folded into px >= py >= 0. */
export function variables({energy, slopes, track}, fit) {
  const signs = slopes.map(slope => slope < 0 ? -1 : 1);
  let folded = slopes.map((slope, axis) => [slope * signs[axis], track[axis] * signs[axis]]);
  if (folded[1][0] > folded[0][0]) folded = folded.reverse();
  const values = [Math.log(energy), folded[0][0], folded[1][0], folded[0][1], folded[1][1]];
  return values.map((value, k) => 2 * (value - fit.low[k]) / (fit.high[k] - fit.low[k]) - 1);
}

/** Geant4's mean of each observable for a particle, its standard error, and the standard deviation of showers. */
export function geant4(particle, fit) {
  const at = variables(particle, fit);
  const terms = fit.powers.map(powers => powers.reduce((product, power, k) => product * at[k] ** power, 1));
  const dot = (a, b) => a.reduce((sum, value, k) => sum + value * b[k], 0);
  return fit.observables.map(({scale, mean, covariance, deviation}) => {
    const unit = scale === "energy" ? 1000 * particle.energy : 1;
    return {
      mean: unit * dot(mean, terms),
      error: unit * Math.sqrt(Math.max(0, dot(covariance.map(row => dot(row, terms)), terms))),
      deviation: unit * Math.exp(dot(deviation, terms) / 2),
    };
  });
}

/** `count` independent numbers of N(0, 1), by Box and Muller. */
export function normal(count) {
  const numbers = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - Math.random())), angle = 2 * Math.PI * Math.random();
    numbers[i] = radius * Math.cos(angle);
    if (i + 1 < count) numbers[i + 1] = radius * Math.sin(angle);
  }
  return numbers;
}

/** Running mean and standard deviation (Welford). */
export class Moments {
  constructor() { this.count = 0; this.mean = 0; this.squares = 0; }
  add(value) {
    this.count += 1;
    const before = value - this.mean;
    this.mean += before / this.count;
    this.squares += before * (value - this.mean);
  }
  get deviation() { return this.count > 1 ? Math.sqrt(this.squares / (this.count - 1)) : NaN; }
  get error() { return this.deviation / Math.sqrt(this.count); }
}
