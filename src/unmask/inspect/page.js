
"use strict";
// Says in the bar what a token is: the one pointed at, tapped, or reached with the arrow keys.
const bar = document.getElementById("bar");
const steps = {ArrowRight: 1, ArrowLeft: -1};
let here = null;

function show(token) {
  here?.classList.remove("here");
  here = token;
  here?.classList.add("here");
  bar.textContent = here ? here.title : "";
}

for (const text of document.querySelectorAll(".text")) {
  text.addEventListener("click", event => show(event.target.closest("[title]")));
  text.addEventListener("focus", () => {
    if (!text.contains(here)) show(text.firstElementChild);
  });
  text.addEventListener("blur", () => show(null));
  text.addEventListener("keydown", event => {
    if (event.key === "Escape") return show(null);
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const next = step === 1 ? here?.nextElementSibling : here?.previousElementSibling;
    show(next ?? here ?? text.firstElementChild);
    here.scrollIntoView({block: "nearest"});
  });
}
