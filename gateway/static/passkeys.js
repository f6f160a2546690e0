/* Passkeys: what the browser says goes into the form's hidden field. Without this, codes remain. */
(() => {
  "use strict";
  if (!window.PublicKeyCredential) return;
  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-")
      .replace(/\//g, "_")
      .replace(/=+$/, "");
  const named = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  const asked = async (options) => {
    const publicKey = { ...options, challenge: bytes(options.challenge) };
    if (!options.user) {
      publicKey.allowCredentials = named(options.allowCredentials);
      return navigator.credentials.get({ publicKey });
    }
    publicKey.user = { ...options.user, id: bytes(options.user.id) };
    publicKey.excludeCredentials = named(options.excludeCredentials);
    return navigator.credentials.create({ publicKey });
  };

  const written = (made) => {
    const response = {};
    for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (made.response[part]) response[part] = text(made.response[part]);
    }
    const { id, type } = made;
    return JSON.stringify({ id, type, rawId: text(made.rawId), response, clientExtensionResults: {} });
  };

  for (const button of document.querySelectorAll("[data-passkey]")) {
    const form = button.form;
    const said = form.querySelector("[data-passkey-said]");
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        form.elements.passkey.value = written(await asked(JSON.parse(button.dataset.passkey)));
      } catch {
        said.textContent = "That did not work. Try again, or use a code.";
        return;
      }
      form.requestSubmit();
    });
  }
})();
