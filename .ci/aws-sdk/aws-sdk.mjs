// Reads names of profiles, and says who AWS says each is, a line for a line: node aws-sdk.mjs
// `-` is none: what the surroundings give.
import { createInterface } from "node:readline";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { fromContainerMetadata, fromProcess } from "@aws-sdk/credential-providers";

const clients = new Map();
for await (const profile of createInterface({ input: process.stdin })) {
    const named = profile === "-" ? {} : { profile };
    if (!clients.has(profile)) {
        clients.set(profile, new STSClient(named));
    }
    try {
        console.log((await clients.get(profile).send(new GetCallerIdentityCommand())).Arn);
    } catch (error) {
        // Without credentials it went on to the next place that might have some, and forgot why this one had none.
        const nowhere = error.name === "CredentialsProviderError";
        const reason = nowhere ? await (profile === "-" ? fromContainerMetadata() : fromProcess(named))().catch(String) : error;
        console.log(String(reason).replaceAll("\n", " "));
    }
}
