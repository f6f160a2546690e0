/* Copying, and how strong a password is while it is typed. Without this, both are on the page. */
(() => {
  "use strict";
  const said = document.createElement("p");
  said.className = "vh";
  said.setAttribute("role", "status");
  document.querySelector("main").append(said);

  for (const button of document.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) break;
    const field = document.getElementById(button.dataset.copy);
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(field.value);
        button.firstChild.data = "Copied";
        said.textContent = "Copied.";
      } catch {
        field.select();
        said.textContent = "It is selected. Copy it with your keyboard or the menu.";
      }
    });
    field.addEventListener("input", () => {
      button.firstChild.data = "Copy";
      said.textContent = "";
    });
  }

  for (const field of document.querySelectorAll("[data-strength]")) {
    const shown = document.getElementById(`${field.id}-strength`);
    let waiting;
    const look = async () => {
      const body = new URLSearchParams();
      for (const name of ["csrf", "recipient_email", field.name]) {
        body.set(name, field.form.elements[name].value);
      }
      const typed = field.value;
      const answer = await fetch(field.dataset.strength, { method: "POST", body });
      if (answer.ok && typed === field.value) shown.textContent = await answer.text();
    };
    field.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(look, 400);
    });
  }
})();
