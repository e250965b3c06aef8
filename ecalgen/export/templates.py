"""Frames of the C and C++ files around a generator."""
HEADER = """\
/* {title}
 * Written by ecalgen {version}; {name}.c.json says what it was trained on and for which particles it may be trusted. */
#ifndef {guard}
#define {guard}

enum {{
  {name}_noise = {latent},        /* independent numbers of N(0, 1) that a shower takes */
  {name}_conditions = {conditions},      /* {columns} */
  {name}_cells = {cells},         /* energies in MeV, cell (ix, iy) at {side} * ix + iy */
  {name}_workspace = {workspace}   /* floats of scratch memory, of each thread its own */
}};

#ifdef __cplusplus
extern "C"
#endif
void {name}_shower(const float *noise, const float *conditions, float *cells, float *workspace);

#endif
"""
SOURCE = """\
/* {title}; see {name}.h. C99; link with -lm. */
#include "{name}.h"
#include <math.h>

{helpers}
{constants}

void {name}_shower(const float *restrict noise, const float *restrict conditions, float *restrict cells,
                   float *restrict workspace) {{
{body}
}}
"""
EXAMPLE = """\
/* One shower, printed: cc -O3 -o example {name}_example.c {name}.c -lm && ./example 1
 * The argument is the seed. */
#include "{name}.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A number of N(0, 1), by Box and Muller from splitmix64. */
static double uniform(unsigned long long *state) {{
  unsigned long long z = (*state += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}}

static float normal(unsigned long long *state) {{
  const double radius = sqrt(-2.0 * log(uniform(state)));
  return (float)(radius * cos(6.283185307179586 * uniform(state)));
}}

int main(int argc, char **argv) {{
  unsigned long long state = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
  const float conditions[{name}_conditions] = {{0.0f, 0.0f, 20.0f, 0.0f, 0.0f}}; /* {columns} */
  static float noise[{name}_noise], cells[{name}_cells], workspace[{name}_workspace];
  float total = 0.0f;
  for (int i = 0; i < {name}_noise; ++i) noise[i] = normal(&state);
  {name}_shower(noise, conditions, cells, workspace);
  for (int i = 0; i < {name}_cells; ++i) {{
    total += cells[i];
    printf("%.4g%c", cells[i], (i + 1) % {side} ? ' ' : '\\n');
  }}
  fprintf(stderr, "%.1f MeV in all cells\\n", total);
  return 0;
}}
"""
CPP = """\
// {title}, in C++17.
// Written by ecalgen {version}; {name}.cpp.json says what it was trained on and for which particles it may be trusted.
//
//   static const ecalgen::{name} generator;            // no state: const, and safe in any number of threads
//   thread_local ecalgen::{name}::Workspace workspace;
//   float cells[ecalgen::{name}::cells];
//   if (ecalgen::{name}::knows(px, py, pz, x, y))
//     generator.shower(event, particle, px, py, pz, x, y, cells, workspace);
#ifndef ECALGEN_{guard}PP
#define ECALGEN_{guard}PP

#include <math.h>

#include <cmath>
#include <cstdint>
#include <cstring>

namespace ecalgen {{
namespace {name}_parts {{

{helpers}
{constants}

inline void shower(const float *__restrict noise, const float *__restrict conditions, float *__restrict cells,
                   float *__restrict workspace) noexcept {{
{body}
}}

{random}
}}  // namespace {name}_parts

/// Showers of the generator {name}: energies in MeV of {dimensions} cells.
class {name} {{
 public:
  static constexpr int noise = {latent};   ///< independent numbers of N(0, 1) that a shower takes
  static constexpr int cells = {cells};    ///< energies of a shower, cell (ix, iy) at {side} * ix + iy

  /// Scratch memory; each thread needs its own.
  struct Workspace {{
    alignas(64) float floats[{workspace}];
    alignas(64) float noise[{padded}];
  }};

  /// Whether the generator was trained on such electrons: momentum in GeV, entry point on the front face in cm.
  static bool knows(float px, float py, float pz, float x, float y) noexcept {{
    if (!(pz > 0.0f)) return false;
    const float slope_x = px / pz, slope_y = py / pz;
    const float given[5] = {{std::sqrt(px * px + py * py + pz * pz), slope_x, slope_y, x + {depth}f * slope_x,
                            y + {depth}f * slope_y}};
    const float low[5] = {{{low}}}, high[5] = {{{high}}};
    for (int i = 0; i < 5; ++i) if (!(low[i] <= given[i] && given[i] <= high[i])) return false;
    return std::fabs(x) <= {half_x}f && std::fabs(y) <= {half_y}f;
  }}

  /// The cells of one shower, from noise of the caller.
  void shower(const float *numbers, float px, float py, float pz, float x, float y, float *energies,
              Workspace &workspace) const noexcept {{
    const float conditions[{conditions}] = {{px, py, pz, x, y}};
    {name}_parts::shower(numbers, conditions, energies, workspace.floats);
  }}

  /// The same with noise that depends only on `event` and `particle`, such as a seed with an event's number, and a
  /// track's number.
  void shower(std::uint64_t event, std::uint64_t particle, float px, float py, float pz, float x, float y,
              float *energies, Workspace &workspace) const noexcept {{
    {name}_parts::normal_numbers(event, particle, {blocks}, workspace.noise);
    shower(workspace.noise, px, py, pz, x, y, energies, workspace);
  }}
}};

}}  // namespace ecalgen

#endif
"""
RANDOM = """\
// Philox4x32-10 (Salmon et al. 2011): four numbers of 32 bits for each counter and key.
inline void philox(std::uint64_t key, std::uint64_t high, std::uint64_t low, std::uint32_t out[4]) noexcept {
  std::uint32_t c[4] = {std::uint32_t(low), std::uint32_t(low >> 32), std::uint32_t(high), std::uint32_t(high >> 32)};
  std::uint32_t k0 = std::uint32_t(key), k1 = std::uint32_t(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t(0xD2511F53u) * c[0], b = std::uint64_t(0xCD9E8D57u) * c[2];
    const std::uint32_t next[4] = {std::uint32_t(b >> 32) ^ c[1] ^ k0, std::uint32_t(b),
                                   std::uint32_t(a >> 32) ^ c[3] ^ k1, std::uint32_t(a)};
    for (int i = 0; i < 4; ++i) c[i] = next[i];
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  for (int i = 0; i < 4; ++i) out[i] = c[i];
}

// sin(2 pi x) for |x| <= 1/2, to 2e-7.
static inline float sine_of_turn(float x) {
  const float b = 0.25f - fabsf(fabsf(x) - 0.25f), q = b * b;
  const float s = b * (6.283185357f + q * (-41.34170607f + q * (81.60419166f
      + q * (-76.62091440f + q * 40.05733458f))));
  return chosen(x < 0.0f, -s, s);
}

// Numbers of N(0, 1) by Box and Muller, four for each block.
inline void normal_numbers(std::uint64_t key, std::uint64_t stream, int blocks, float *out) noexcept {
  for (int block = 0; block < blocks; ++block) {
    std::uint32_t bits[4];
    philox(key, stream, std::uint64_t(block), bits);
    for (int i = 0; i < 4; ++i) out[4 * block + i] = (float(bits[i] >> 8) + 0.5f) * 5.9604645e-8f;
  }
  for (int pair = 0; pair < 2 * blocks; ++pair) {
    const float radius = sqrt_of(-2.0f * log_of(out[2 * pair])), turn = out[2 * pair + 1] - 0.5f;
    const float quarter = turn + 0.25f;
    out[2 * pair] = radius * sine_of_turn(turn);
    out[2 * pair + 1] = radius * sine_of_turn(chosen(quarter > 0.5f, quarter - 1.0f, quarter));
  }
}
"""
