/* Repairs that need the browser: the widgets' mathematics, and names for controls that have none. */
(function () {
  "use strict";

  // The widget embedder still calls the queue of MathJax 2.
  if (window.MathJax && !window.MathJax.Hub) {
    window.MathJax.Hub = {
      Queue: function () {
        for (const call of arguments) {
          if (!Array.isArray(call) || call[0] !== "Typeset" || !call[2]) continue;
          const element = call[2];
          window.MathJax.startup.promise.then(function () {
            element.classList.add("mathjax_process");
            return window.MathJax.typesetPromise([element]);
          });
        }
      },
    };
  }

  // Sliders and buttons of widgets, for those who hear the page.
  function nameControls() {
    document.querySelectorAll(".noUi-handle:not([aria-label])").forEach(function (handle) {
      const box = handle.closest(".widget-slider");
      const label = box && box.querySelector(".widget-label");
      handle.setAttribute("aria-label", (label && label.textContent.trim()) || "slider");
    });
    document.querySelectorAll(".widget-play").forEach(function (player) {
      player.querySelectorAll("button").forEach(function (button, i) {
        if (!button.hasAttribute("aria-label")) {
          button.setAttribute("aria-label", ["Play or pause", "Stop", "Repeat"][i] || "Play");
        }
      });
    });
  }

  // Roles and labels of the theme that contradict what is shown.
  function drop(selector, attribute) {
    document.querySelectorAll(selector).forEach(function (element) {
      element.removeAttribute(attribute);
    });
  }
  drop('.citation-list[role="list"], .citation[role="doc-biblioentry"]', "role");
  drop("details > summary[aria-label], .theme-switch-button[aria-label], .search-button-field[aria-label]", "aria-label");

  // What scrolls sideways can be reached by keyboard.
  function makeReachable() {
    const boxes = [".cell_output", ".cell_output pre", "figure .output", "div.math", "mjx-container[display]"];
    document.querySelectorAll(boxes.join(",")).forEach(function (box) {
      if (box.scrollWidth > box.clientWidth + 1) box.setAttribute("tabindex", "0");
    });
  }
  window.addEventListener("load", function () {
    const startup = window.MathJax && window.MathJax.startup;
    Promise.resolve(startup && startup.promise).then(makeReachable);
  });

  nameControls();
  if (document.querySelector('script[type="application/vnd.jupyter.widget-view+json"]')) {
    new MutationObserver(nameControls).observe(document.body, { childList: true, subtree: true });
  }
})();
