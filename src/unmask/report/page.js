
"use strict";
// Says beside each curve what it is worth at the place pointed at, or reached with the arrow keys.
const moves = {ArrowRight: 1, ArrowLeft: -1};

function trimmed(digits) {
  return digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
}

// Four digits that count, as scale.py says numbers.
function said(value) {
  const size = Math.abs(value);
  if (size ? 1e-3 > size || size >= 1e15 : false) {
    const [mantissa, power] = value.toExponential(3).split("e");
    return `${trimmed(mantissa)}e${Number(power)}`;
  }
  const places = size ? Math.max(0, 3 - Math.floor(Math.log10(size))) : 0;
  return trimmed(value.toLocaleString("en-US",
    {minimumFractionDigits: places, maximumFractionDigits: places}));
}

function nearest(places, place) {
  let low = 0, high = places.length - 1;
  while (high > low) {
    const middle = (low + high) >> 1;
    if (place > places[middle]) low = middle + 1; else high = middle;
  }
  return low ? low - (places[low] - place > place - places[low - 1]) : 0;
}

for (const svg of document.querySelectorAll("svg[data-across]")) {
  const figure = svg.closest("figure");
  const {left, right, low, high, across, unit} = svg.dataset;
  const cursor = svg.querySelector(".cursor"), where = figure.querySelector("output");
  const numbers = figure.querySelectorAll("li b");
  const first = [...numbers].map(number => number.textContent), last = where.textContent;
  const curves = [...svg.querySelectorAll("[data-x]")].map(path => ({
    x: path.dataset.x.split(" ").map(Number), y: path.dataset.y.split(" ").map(Number),
  }));
  const leading = curves.reduce((most, curve) => curve.x.length > most.x.length ? curve : most);
  let here = null;

  const show = at => {
    here = Math.min(Math.max(at, 0), leading.x.length - 1);
    const place = leading.x[here];
    const share = Number(high) > Number(low) ? (place - low) / (high - low) : 0;
    const pixel = Number(left) + share * (right - left);
    cursor.setAttribute("x1", pixel);
    cursor.setAttribute("x2", pixel);
    cursor.setAttribute("visibility", "visible");
    where.textContent = `${across.slice(0, -1)} ${said(place)}`;
    curves.forEach((curve, number) => {
      numbers[number].textContent = said(curve.y[nearest(curve.x, place)]) + unit;
    });
  };
  const leave = () => {
    cursor.setAttribute("visibility", "hidden");
    where.textContent = last;
    numbers.forEach((number, index) => { number.textContent = first[index]; });
    here = null;
  };
  svg.addEventListener("pointermove", event => {
    const box = svg.getBoundingClientRect();
    const pixel = (event.clientX - box.left) * svg.viewBox.baseVal.width / box.width;
    const share = (pixel - left) / (right - left);
    show(nearest(leading.x, Number(low) + share * (high - low)));
  });
  svg.addEventListener("pointerleave", leave);
  svg.addEventListener("blur", leave);
  svg.addEventListener("keydown", event => {
    if (event.key === "Escape") return leave();
    const move = moves[event.key] * (event.shiftKey ? 10 : 1);
    if (!move) return;
    event.preventDefault();
    show(here === null ? leading.x.length - 1 : here + move);
  });
}
