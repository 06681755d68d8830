// Functions of the table that JavaScript lacks, or computes otherwise than Python.
const helpers = (() => {
  const pow = (x, y) => (x === 1 || y === 0 ? 1 : x === -1 && Math.abs(y) === Infinity ? 1 : x ** y);

  function mod(x, y) { // the result has the sign of y
    if (y === 0 || !Number.isFinite(x) || Number.isNaN(y)) return NaN;
    const rest = x % y;
    if (rest === 0) return y < 0 ? -0 : 0;
    return rest < 0 === y < 0 ? rest : rest + y;
  }

  function floordiv(x, y) {
    if (y === 0) return x === 0 || Number.isNaN(x) ? NaN : x * (Object.is(y, -0) ? -Infinity : Infinity);
    if (!Number.isFinite(x) || Number.isNaN(y)) return NaN;
    const quotient = (x - mod(x, y)) / y;
    const down = Math.floor(quotient);
    return quotient - down > 0.5 ? down + 1 : down;
  }

  function round(x) { // halves go to the even number
    const down = Math.floor(x), rest = x - down;
    if (rest === 0.5) return down % 2 === 0 ? down : down + 1;
    return rest < 0.5 ? down : Math.ceil(x);
  }

  // Both without a rounding of x² that e to its power would multiply.
  function gauss(x) { // e^(−x²)
    const high = Math.round(x * 4096) / 4096, low = x - high;
    return Math.exp(-high * high) * Math.exp(-low * (x + high));
  }

  function erf(x) {
    if (Math.abs(x) >= 2.5) return x < 0 ? erfc(-x) - 1 : 1 - erfc(x);
    let term = x, sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) sum += term *= (2 * x * x) / (2 * n + 1);
    return sum * gauss(x) * 2 / Math.sqrt(Math.PI);
  }

  function erfc(x) {
    if (Number.isNaN(x)) return NaN;
    if (x < 1.5) return 1 - erf(x);
    if (x > 27.3) return 0;
    let tail = x; // the continued fraction, from its end
    for (let n = x > 3 ? 60 : 200; n > 0; n--) tail = x + n / 2 / tail;
    return gauss(x) / (tail * Math.sqrt(Math.PI));
  }

  function erfcx(x) { // e^(x²) · erfc(x), also where the one is too large and the other too small
    if (!(x > 2)) return erfc(x) / gauss(x);
    let tail = x;
    for (let n = x > 3 ? 60 : 200; n > 0; n--) tail = x + n / 2 / tail;
    return 1 / (tail * Math.sqrt(Math.PI));
  }

  function erfcinv(y) { // for y of (0, 1] by Newton's steps on the logarithm, which is nearly a parabola
    if (!(y >= 0 && y <= 2)) return NaN;
    if (y > 1) return -erfcinv(2 - y);
    if (y === 0) return Infinity;
    const w = -Math.log(y * (2 - y)), k = 4.33 - w / 2;
    let x = Math.sqrt(Math.sqrt(k * k + w / 0.147) - k);
    for (let n = 0; n < 6; n++) x += (Math.log(erfc(x)) - Math.log(y)) * erfcx(x) * Math.sqrt(Math.PI) / 2;
    return x;
  }

  function erfinv(y) {
    if (Math.abs(y) > 0.5) return y < 0 ? -erfcinv(1 + y) : erfcinv(1 - y);
    let x = y;
    for (let n = 0; n < 8; n++) x -= (erf(x) - y) * Math.sqrt(Math.PI) / 2 / gauss(x);
    return x;
  }

  const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156];

  // ln Γ(x) of x > 0 by Stirling's series far out, and the product x (x + 1) … that leads there.
  function far(x) {
    let ratio = 1;
    while (x < 16) ratio *= x++;
    const series = STIRLING.reduceRight((sum, b) => sum / (x * x) + b, 0) / x;
    return [(x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + series, ratio];
  }

  function gamma(x) {
    if (x <= 0) return Number.isInteger(x) ? NaN : Math.PI / (Math.sin(Math.PI * x) * gamma(1 - x));
    if (x > 172) return x > 172 ? Infinity : NaN;
    const [log, ratio] = far(x);
    return Math.exp(log) / ratio;
  }

  function lgamma(x) {
    if (x === Infinity) return Infinity;
    if (x <= 0) return Number.isInteger(x) ? Infinity : Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - lgamma(1 - x);
    const [log, ratio] = far(x);
    return log - Math.log(ratio);
  }

  return { pow, mod, floordiv, round, erf, erfc, erfcx, erfinv, erfcinv, gamma, lgamma };
})();
