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

  return { pow, mod, floordiv, round, erf, erfc };
})();
