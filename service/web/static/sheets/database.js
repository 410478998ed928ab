// The sheets in IndexedDB. Heads lie apart from contents, so a list of many sheets reads no text.
// A content is stored only in place of the one that its writer knew.

const NAME = "strophe";
const STORES = ["heads", "contents"];
const PATIENCE_MS = 5000; // some browsers never answer where storage is forbidden

/** The browser's database, or one that lasts as long as the page where there is none. */
export async function openDatabase() {
  const database = new Database();
  try {
    await database.heads();
    return database;
  } catch {
    return new Memory();
  }
}

class Database {
  isLasting = true;
  #connecting = null;

  heads() {
    return this.#run("readonly", ({ heads }, give) => ask(heads.getAll(), give));
  }

  /** {head, content} of a sheet; null where it is not there. */
  read(id) {
    return this.#run("readonly", ({ heads, contents }, give) =>
      ask(heads.get(id), (head) => {
        if (!head) give(null);
        else ask(contents.get(id), ({ id: _, ...content }) => give({ head, content }));
      }),
    );
  }

  /** Store a content if the one that is there has the revision of `head`, or none is there. Gives the new
   * head, or null where another one was stored meanwhile. Title and link are those that are there. */
  store(head, content) {
    return this.#run("readwrite", ({ heads, contents }, give) =>
      ask(heads.get(head.id), (stored) => {
        const next = successor(head, stored);
        give(next);
        if (!next) return;
        heads.put(next);
        contents.put({ ...content, id: head.id });
      }),
    );
  }

  /** Change a head, but for what tells of its content; null where it is not there. */
  amend(id, facts) {
    return this.#run("readwrite", ({ heads }, give) =>
      ask(heads.get(id), (stored) => {
        give(stored ? { ...stored, ...facts } : null);
        if (stored) heads.put({ ...stored, ...facts });
      }),
    );
  }

  remove(id) {
    return this.#run("readwrite", ({ heads, contents }) => {
      heads.delete(id);
      contents.delete(id);
    });
  }

  async #run(mode, work) {
    const connection = await (this.#connecting ??= this.#connect());
    return new Promise((resolve, reject) => {
      let result;
      const transaction = connection.transaction(STORES, mode, { durability: "strict" });
      transaction.oncomplete = () => resolve(result);
      transaction.onabort = () => reject(transaction.error ?? new DOMException("aborted"));
      const stores = STORES.map((name) => [name, transaction.objectStore(name)]);
      work(Object.fromEntries(stores), (value) => (result = value));
    });
  }

  async #connect() {
    try {
      const connection = await connected();
      const close = () => (connection.close(), (this.#connecting = null));
      connection.onclose = connection.onversionchange = close; // asked for anew by who needs it next
      return connection;
    } catch (error) {
      this.#connecting = null;
      throw error;
    }
  }
}

function connected() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    const timer = setTimeout(() => reject(new DOMException("no answer")), PATIENCE_MS);
    request.onupgradeneeded = () => {
      for (const name of STORES) request.result.createObjectStore(name, { keyPath: "id" });
    };
    request.onsuccess = () => (clearTimeout(timer), resolve(request.result));
    request.onerror = () => (clearTimeout(timer), reject(request.error));
  });
}

function ask(request, take) {
  request.onsuccess = () => take(request.result);
}

/** The head that follows the stored one; null where that is not the one which was known. */
function successor(head, stored) {
  if (!stored) return { ...head, revision: head.revision + 1, deleted: null };
  if (stored.revision !== head.revision) return null;
  const { title, link, created } = stored;
  return { ...head, title, link, created, revision: head.revision + 1, deleted: null };
}

/** Sheets that last as long as the page, for a browser that keeps nothing; as `Database`. */
class Memory {
  isLasting = false;
  #sheets = new Map();

  async heads() {
    return [...this.#sheets.values()].map(({ head }) => ({ ...head }));
  }

  async read(id) {
    return this.#sheets.has(id) ? structuredClone(this.#sheets.get(id)) : null;
  }

  async store(head, content) {
    const next = successor(head, this.#sheets.get(head.id)?.head);
    if (next) this.#sheets.set(head.id, structuredClone({ head: next, content }));
    return next && { ...next };
  }

  async amend(id, facts) {
    const sheet = this.#sheets.get(id);
    return sheet ? { ...Object.assign(sheet.head, facts) } : null;
  }

  async remove(id) {
    this.#sheets.delete(id);
  }
}
