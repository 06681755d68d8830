"use strict";
// ---- numbers as text, as Python's `digits` writes them; and text as numbers ----
const RAISED = { "-": "⁻", ...Object.fromEntries([..."⁰¹²³⁴⁵⁶⁷⁸⁹"].map((sign, i) => [i, sign])) };
const raised = (power) => [...String(power)].map((c) => RAISED[c]).join("");
const minus = (text) => text.replace("-", "−");

function shortest(text, exponent, x) {
  const exact = Math.abs(Number(text + exponent) - x) <= 1e-12 * Math.abs(x);
  return exact ? text.replace(/\.?0+$/, "") : text;
}

// Of two decimals at the same distance Python takes the even one, toFixed and toExponential the greater.
const even = (scaled) => (Math.floor(scaled) % 2 === 0 ? Math.floor(scaled) : Math.ceil(scaled));

function digits(x) {
  if (Number.isNaN(x)) return "nan";
  const sign = x < 0 ? "−" : "", size = Math.abs(x);
  if (size === Infinity) return sign + "∞";
  if (size === 0) return "0";
  if (size >= 1e-3 && size < 1e6) {
    const tie = Number.isInteger(size * 32) && (size * 32) % 2 === 1; // only then five decimals end in 5 exactly
    const text = tie ? (even(size * 1e4) / 1e4).toFixed(4) : size.toFixed(4);
    return sign + shortest(text, "", size);
  }
  let [mantissa, power] = size.toExponential(4).split("e");
  const unit = 10 ** (Number(power) - 4);
  if (Number.isSafeInteger(size) && (size % unit) * 2 === unit)
    [mantissa, power] = (even(size / unit) * unit).toExponential(4).split("e");
  return `${sign}${shortest(mantissa, `e${power}`, size)}·10${raised(Number(power))}`;
}

// In a product a signed number, or one with a power of ten, stands in parentheses.
const factor = (x) => (/^−|·/.test(digits(x)) ? `(${digits(x)})` : digits(x));

function parsed(text) { // 1.5, 1,5, −2, 1/3; NaN for what is not a number
  const plain = text.trim().replace(/[−–]/g, "-").replace(",", ".");
  const [over, under, ...rest] = plain.split("/").map((part) => (part.trim() === "" ? NaN : Number(part)));
  return rest.length ? NaN : under === undefined ? over : over / under;
}

// A number that a reader worked out: right to the digits given, and to one part in a hundred.
function agrees(text, x) {
  const given = parsed(text);
  if (!Number.isFinite(given) || !Number.isFinite(x)) return Object.is(given, x);
  const decimals = (text.replace(",", ".").split(".")[1] ?? "").length;
  const apart = Math.abs(given - x);
  return apart <= 1e-9 * Math.abs(x) || (apart <= 0.500001 * 10 ** -decimals && apart <= 0.01 * Math.abs(x));
}
