// Prints what an age file holds: node age-encryption.mjs IDENTITY FILE
import { readFileSync } from "node:fs";
import { Decrypter } from "age-encryption";

const [identity, file] = process.argv.slice(2);
const decrypter = new Decrypter();
for (const line of readFileSync(identity, "utf8").split("\n")) {
    if (line.startsWith("AGE-SECRET-KEY-")) decrypter.addIdentity(line);
}
process.stdout.write(await decrypter.decrypt(readFileSync(file)));
