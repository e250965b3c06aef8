"""Mathematics for C programs without a branch, so that compilers turn loops over it into vector instructions.

The polynomials were fitted for this package (minimax, by reweighted least squares). The errors, which
`tests/export/test_c_mathematics.py` holds, are below 4e-7: relative for exp, logistic and sqrt, absolute for tanh, and
of both kinds for log and log1p.
"""

BITS = """\
static inline float float_of(int bits) { union { int i; float f; } u; u.i = bits; return u.f; }
static inline int bits_of(float x) { union { float f; int i; } u; u.f = x; return u.i; }
"""
BITS_IN_CPP = """\
static inline float float_of(int bits) { float x; std::memcpy(&x, &bits, sizeof x); return x; }
static inline int bits_of(float x) { int bits; std::memcpy(&bits, &x, sizeof bits); return bits; }
"""
"""The bits of a number; C++ has no unions of two types."""
FUNCTIONS = """\
/* Choices are made with bits, because compilers do not vectorise loops with branches. */
static inline float chosen(int yes, float a, float b) {
  const int mask = -(yes != 0);
  return float_of((bits_of(a) & mask) | (bits_of(b) & ~mask));
}
static inline float larger(float a, float b) { return chosen(a > b, a, b); }
static inline float smaller(float a, float b) { return chosen(a < b, a, b); }
static inline int within(int index, int last) { return index < 0 ? 0 : index > last ? last : index; }
static inline float sign_of(float x) { return (float)((x > 0.0f) - (x < 0.0f)); }
static inline float square(float x) { return x * x; }
static inline float power(float x, int n) { float y = x; while (--n > 0) y *= x; return y; }

/* e^x = 2^n e^r with |r| <= log(2) / 2; x is held in [-87, 88]. */
static inline float exp_of(float x) {
  const float y = larger(smaller(x, 88.0f), -87.0f);
  const int n = (int)(y * 1.44269504f + 127.5f) - 127;
  const float r = (y - (float)n * 0.693359375f) + (float)n * 2.12194440e-4f;
  const float p = 5.000000027e-01f + r * (1.666657698e-01f + r * (4.166637516e-02f
      + r * (8.363179810e-03f + r * 1.394112125e-03f)));
  return (1.0f + (r + r * r * p)) * float_of((n + 127) * 8388608);
}

/* log(2^n (1 + f)) with 0.707 <= 1 + f < 1.414; x is at least the smallest normal number. */
static inline float log_of(float x) {
  const int bits = bits_of(larger(x, 1.17549435e-38f));
  const int n = (bits - 0x3F3504F3) >> 23;
  const float f = float_of(bits - n * 8388608) - 1.0f;
  const float p = -4.999999256e-01f + f * (3.333364268e-01f + f * (-2.500205848e-01f + f * (1.997445966e-01f
      + f * (-1.656202165e-01f + f * (1.477501081e-01f + f * (-1.435229618e-01f + f * 9.226633506e-02f))))));
  return (float)n * 0.693359375f + ((float)n * -2.12194440e-4f + (f + f * f * p));
}
static inline float log1p_of(float x) {
  const float u = 1.0f + x;
  return log_of(u) + (x - (u - 1.0f)) / u;
}
static inline float tanh_of(float x) { return 1.0f - 2.0f / (exp_of(2.0f * x) + 1.0f); }
static inline float logistic_of(float x) { return 1.0f / (1.0f + exp_of(-x)); }

/* Newton's iteration for 1 / sqrt(x), from an estimate by the bits of x. */
static inline float sqrt_of(float x) {
  const float y = x + 1e-30f, half = 0.5f * y;
  float r = float_of(0x5F375A86 - (bits_of(y) >> 1));
  r = r * (1.5f - half * r * r);
  r = r * (1.5f - half * r * r);
  r = r * (1.5f - half * r * r);
  return x * r;
}

/* Some floats at once: those of a register where the compiler has vectors, else one. */
#if defined(__GNUC__) && defined(__AVX__)
#define ECALGEN_LANES 8
#elif defined(__GNUC__)
#define ECALGEN_LANES 4
#else
#define ECALGEN_LANES 1
#endif
#if ECALGEN_LANES > 1
typedef float lanes __attribute__((vector_size(4 * ECALGEN_LANES)));
typedef float loose_lanes __attribute__((vector_size(4 * ECALGEN_LANES), aligned(4), may_alias));
#else
typedef float lanes, loose_lanes;
#endif
"""
HELPERS = BITS + FUNCTIONS
WIDEST = 8
"""Largest number of ECALGEN_LANES; the last axis of weights is padded to a multiple of it."""

LARGEST = "3.4e38f"
"""Used in place of infinity, which compilers with fast-math options assume never to occur."""
BINARY = {"add": "({} + {})", "sub": "({} - {})", "mul": "({} * {})", "div": "({} / {})", "gt": "({} > {})",
          "ge": "({} >= {})", "lt": "({} < {})", "le": "({} <= {})", "eq": "({} == {})", "ne": "({} != {})",
          "and": "({} & {})", "or": "({} | {})", "max": "larger({}, {})", "min": "smaller({}, {})",
          "pow": "powf({}, {})"}
UNARY = {"neg": "(-{})", "not": "(!{})", "abs": "fabsf({})", "sign": "sign_of({})", "exp": "exp_of({})",
         "log": "log_of({})", "log1p": "log1p_of({})", "expm1": "expm1f({})", "tanh": "tanh_of({})",
         "logistic": "logistic_of({})", "sqrt": "sqrt_of({})", "rsqrt": "(1.0f / sqrt_of({}))",
         "square": "square({})", "asinh": "asinhf({})", "erf": "erff({})", "erfc": "erfcf({})"}
SIMPLE = BINARY | UNARY | {"clamp": "smaller(larger({1}, {0}), {2})"}
"""Primitive -> the expression of one element."""
