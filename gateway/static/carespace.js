/* Extras only. Every page works without this file. */
(() => {
  "use strict";
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Show or hide a password; it is hidden again before it is sent.
  all("[data-show]").forEach((button) => {
    const input = document.getElementById(button.dataset.show);
    button.hidden = false;
    button.setAttribute("aria-controls", input.id);
    const show = (on) => {
      input.type = on ? "text" : "password";
      button.firstChild.data = on ? "Hide" : "Show";
    };
    button.addEventListener("click", () => show(input.type === "password"));
    if (input.form) input.form.addEventListener("submit", () => show(false));
  });

  // Tick the rules of a password as they are met.
  const RULES = {
    length: (text) => [...text].length >= 8,
    uppercase: (text) => /\p{Lu}/u.test(text),
    lowercase: (text) => /\p{Ll}/u.test(text),
    number: (text) => /\p{Nd}/u.test(text),
    special: (text) => /[^\p{L}\p{N}\s]/u.test(text),
  };
  all("[data-rules]").forEach((list) => {
    const input = document.getElementById(list.dataset.rules);
    input.addEventListener("input", () => {
      all("li", list).forEach((item) => {
        const rule = RULES[item.dataset.rule];
        const met = rule ? rule(input.value) : false;
        item.classList.toggle("met", met);
        item.classList.remove("unmet");
        item.lastElementChild.textContent = met ? ": done" : rule ? ": not yet" : "";
      });
    });
  });

  // The account menu closes on Escape and on a click elsewhere.
  const menus = () => all("details.menu[open]");
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menus().forEach((menu) => {
      menu.open = false;
      menu.firstElementChild.focus();
    });
  });
  document.addEventListener("click", (event) => {
    menus().forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });

  // A form goes once; coming back to the page makes it ready again.
  all("form[method=post]").forEach((form) => {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
    form.addEventListener("input", () => {
      form.dataset.touched = "yes";
    });
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) all("form[data-sent]").forEach((form) => delete form.dataset.sent);
  });

  // Two minutes before the session ends, say so, unless another tab has kept it awake.
  const dialog = document.getElementById("idle");
  const seconds = Number(document.body.dataset.idle);
  if (dialog && seconds) {
    const WARNING = 120000;
    const SHARED = "awake until";
    const announce = typeof BroadcastChannel === "function" ? new BroadcastChannel(SHARED) : null;
    let end = Date.now() + seconds * 1000;
    let saved = document.activeElement;
    const awake = (until, told) => {
      end = Math.max(end, until);
      if (!told && announce) announce.postMessage(end);
      if (dialog.open && end - Date.now() > WARNING) {
        dialog.close();
        if (saved && saved.focus) saved.focus();
      }
    };
    if (announce) announce.onmessage = (event) => awake(Number(event.data), true);
    awake(end, false);
    const stay = async () => {
      const answer = await fetch(document.body.dataset.stay, { cache: "no-store" });
      if (!answer.ok) return leave();
      const until = Date.parse((await answer.json()).idle_ends_at);
      return awake(until, false);
    };
    const leave = () => {
      if (all("form[data-touched]").length) {
        document.getElementById("idle-title").textContent = "You have been logged out";
        document.getElementById("idle-text").textContent =
          "What you typed is still on this page, but it was not sent. Copy what you want to keep, then log in again.";
      } else location.reload();
    };
    all("[data-staying]").forEach((button) => button.addEventListener("click", () => stay().catch(() => {})));
    const look = () => {
      const left = end - Date.now();
      if (left <= 0) {
        clearInterval(timer);
        leave();
      } else if (left <= WARNING && !dialog.open) {
        saved = document.activeElement;
        dialog.showModal();
      }
    };
    const timer = setInterval(look, 1000);
    document.addEventListener("visibilitychange", look);
  }

  // Print a document in its frame where the browser allows it; else it opens by itself.
  all("[data-print]").forEach((link) => {
    link.addEventListener("click", (event) => {
      const frame = document.querySelector("iframe.viewer:not([sandbox])");
      const image = document.querySelector("img.sheet");
      try {
        if (image) window.print();
        else if (frame) frame.contentWindow.print();
        else return;
        event.preventDefault();
      } catch {
        // The frame is closed to us: the link does what it says.
      }
    });
  });

  // What is typed into a message is kept as a draft, a moment after each pause.
  all("form[data-draft]").forEach((form) => {
    const state = form.querySelector("[data-draft-state]");
    const fields = () => {
      const data = new URLSearchParams();
      new FormData(form).forEach((value, name) => {
        if (typeof value === "string") data.append(name, value);
      });
      return data;
    };
    let waiting = 0;
    let changed = false;
    let saving = null;
    const save = async () => {
      if (form.dataset.sent || !changed) return;
      changed = false;
      const answer = await fetch(form.dataset.draft, { method: "POST", body: fields() });
      const said = await answer.json();
      if (said.problem) {
        state.textContent = said.problem;
        return;
      }
      form.elements.draft.value = said.draft;
      form.elements.version.value = said.version;
      state.textContent = said.elsewhere
        ? "This draft was changed in another window. This one is its own now."
        : "Your draft is saved.";
    };
    form.addEventListener("input", () => {
      changed = true;
      state.textContent = "";
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        saving = save().catch(() => {
          changed = true;
          state.textContent = "This is not saved yet. We try again as you type.";
        }).finally(() => {
          saving = null;
        });
      }, 1000);
    });
    form.addEventListener("submit", (event) => {
      clearTimeout(waiting);
      if (!saving) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      saving.then(() => form.requestSubmit(event.submitter));
    }, true);
    addEventListener("pagehide", () => {
      if (changed && !form.dataset.sent) navigator.sendBeacon(form.dataset.draft, fields());
    });
  });

  // New messages and counts appear by themselves. One tab listens, and tells the others.
  const stream = document.body.dataset.liveStream;
  if (stream && typeof EventSource === "function" && navigator.locks) {
    const tabs = new BroadcastChannel(stream);
    const count = document.querySelector("[data-count]");
    let old = true;
    let leaving = false;
    addEventListener("beforeunload", () => {
      leaving = true;
    });
    const refresh = async () => {
      if (!all("[data-live]").length) return;
      const answer = await fetch(location.href, { headers: { Live: "yes" }, cache: "no-store" });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      all("[data-live]").forEach((part) => {
        const fresh = page.getElementById(part.id);
        const busy = part.contains(document.activeElement);
        if (fresh && !busy && fresh.outerHTML !== part.outerHTML) {
          part.replaceWith(fresh);
          here = fresh.id === "live-letters";
        }
      });
    };
    // A message that came by itself counts as read once somebody is there to read it.
    let here = false;
    ["pointerdown", "keydown", "scroll"].forEach((sign) => {
      addEventListener(sign, () => {
        if (here) fetch(location.href, { cache: "no-store" }).catch(() => {});
        here = false;
      }, { passive: true });
    });
    const look = () => {
      if (!old || document.visibilityState !== "visible") return;
      old = false;
      refresh().catch(() => {
        old = true;
      });
    };
    const told = (number, first) => {
      if (count) {
        const [shown, said] = count.children;
        const more = number > Number(shown.textContent);
        const words = said.textContent.replace(/^\d+/, number);
        shown.textContent = number;
        said.textContent = words;
        count.hidden = !number;
        if (more) document.getElementById("live-said").textContent = `Messages: ${words}`;
      }
      old = !first;
      look();
    };
    tabs.onmessage = (event) => told(event.data, false);
    document.addEventListener("visibilitychange", look);
    navigator.locks.request(stream, () => new Promise(() => {
      let first = true;
      const source = new EventSource(stream);
      source.addEventListener("count", (event) => {
        told(Number(event.data), first);
        if (!first) tabs.postMessage(Number(event.data));
        first = false;
      });
      source.addEventListener("over", () => {
        source.close();
        setTimeout(() => {
          if (!leaving && !all("form[data-touched]").length) location.reload();
        }, 500);
      });
    }));
  }

  // Print with one press.
  all("[data-print-page]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  });

  // A printed page shows every history.
  addEventListener("beforeprint", () => {
    all("details.result:not([open])").forEach((history) => {
      history.open = true;
    });
  });
})();
