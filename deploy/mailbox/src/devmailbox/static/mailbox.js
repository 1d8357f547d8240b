// Shows new mails without a reload of what is being read, and empties the mailbox.
const REFRESH_MS = 2000;

async function refreshList() {
  if (document.hidden) return;
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const seen = document.body.dataset;
  const next = page.body.dataset;
  if (seen.newest === next.newest && seen.count === next.count) return;
  document.title = page.title;
  document.querySelector("nav").replaceWith(page.querySelector("nav"));
  document.querySelector("#empty").disabled = page.querySelector("#empty").disabled;
  if (!document.querySelector("article") && page.querySelector("article")) {
    document.querySelector("main").append(page.querySelector("article"));
  }
  seen.newest = next.newest;
  seen.count = next.count;
}

document.querySelector("#empty").addEventListener("click", async () => {
  await fetch("/api/messages", { method: "DELETE" });
  location.assign("/");
});

setInterval(() => refreshList().catch(() => undefined), REFRESH_MS);
