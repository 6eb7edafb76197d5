import { cp, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The folder of an AnonCreds registry, which stands for the ledger that agents share; see ../registry. */
export class Registry {
  private constructor(readonly folder: string) {}

  static async create(): Promise<Registry> {
    return new Registry(await mkdtemp(join(tmpdir(), "vestibule-registry-")));
  }

  /** Another registry with the same objects, for an agent that shall see something else than the others. */
  async copy(): Promise<Registry> {
    const copy = await Registry.create();
    await cp(this.folder, copy.folder, { recursive: true });
    return copy;
  }

  /**
   * Gives a credential definition another public key, in which the parts of two attributes have changed places: a good key
   * in form, but not the one that its cards are signed with. Cards do not verify for an agent that reads this registry.
   * Only the verifier may read it; a holder needs the true key to make a presentation.
   */
  async changeKey(credDefId: string): Promise<void> {
    const file = join(this.folder, "cred-defs", `${encodeURIComponent(credDefId)}.json`);
    const definition = JSON.parse(await readFile(file, "utf8"));
    const { r } = definition.value.primary;
    const [one, other] = Object.keys(r).filter((attribute) => attribute !== "master_secret");
    [r[one], r[other]] = [r[other], r[one]];
    // Under another name first: an agent may be about to read it.
    await writeFile(`${file}.new`, JSON.stringify(definition));
    await rename(`${file}.new`, file);
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
