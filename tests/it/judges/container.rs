//! The README's recipe for containers with a network of their own, line by line, in network namespaces that stand for the machine,
//! a container behind its bridge, and a neighbour in its network. This machine's own network stays as it is.

use super::{PROGRAM, judge};
use crate::program::{Case, Conversation};
use crate::waiting;

/// The simulator is out of reach of all of them, but for a socket that has a path.
const MACHINE: &str = r#"
    trap 'kill $relay' EXIT
    setpriv --pdeathsig TERM socat "UNIX-LISTEN:$SOCKET,fork" "TCP:127.0.0.1:$AWS_PORT" & relay=$!
    unshare --map-root-user --net bash -c "$INSIDE"
"#;

/// docker0 is as Docker makes it. What is then said is done, line by line.
const INSIDE: &str = r#"
    set -eu
    trap 'kill $(jobs -p)' EXIT
    namespace() {
        unshare --net sleep infinity > /dev/null & pid=$!
        until [ "$(readlink /proc/$pid/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do :; done
    }
    within() { nsenter --target "$1" --net "${@:2}"; }
    namespace; export CONTAINER=$pid
    namespace; NEIGHBOUR=$pid
    ip link set lo up
    ip link add docker0 type bridge
    ip address add 172.17.0.1/16 dev docker0
    ip link set docker0 up
    ip link add veth0 type veth peer name eth0 netns "$CONTAINER"
    ip link set veth0 master docker0 up
    within "$CONTAINER" ip link set lo up
    within "$CONTAINER" ip address add 172.17.0.2/16 dev eth0
    within "$CONTAINER" ip link set eth0 up
    within "$CONTAINER" ip route add default via 172.17.0.1
    ip link add lan0 type veth peer name eth0 netns "$NEIGHBOUR"
    ip address add 192.168.1.1/24 dev lan0
    ip link set lan0 up
    within "$NEIGHBOUR" ip address add 192.168.1.2/24 dev eth0
    within "$NEIGHBOUR" ip link set eth0 up
    within "$NEIGHBOUR" ip route add default via 192.168.1.1
    nsenter --target "$CONTAINER" --net socat "TCP-LISTEN:$AWS_PORT,bind=127.0.0.1,fork" "UNIX-CONNECT:$SOCKET" &
    until within "$CONTAINER" ss --no-header --listening --tcp | grep -q .; do :; done
    reaches() { within "$NEIGHBOUR" timeout 10 bash -c ": < /dev/tcp/169.254.170.2/$1" 2> /dev/null && echo yes || echo no; }
    listens() { until ss --no-header --listening --tcp "sport = :$1" | grep -q .; do :; done; }
    while read -r line; do eval "$line" < /dev/null; done
"#;

/// `docker run --env-file FILE -e NAME=VALUE IMAGE WORDS...`, as far as the network and the environment go.
const DOCKER: &str = r#"#!/bin/bash
set -eu
[ "$1 $2 $4" = "run --env-file -e" ]
case $6 in amazon/aws-cli) words=("$AWS" "${@:7}");; *) words=("${@:7}");; esac
mapfile -t variables < "$3"
exec nsenter --target "$CONTAINER" --net env --ignore-environment PATH="$PATH" HOME=/nonexistent \
    AWS_ENDPOINT_URL="$AWS_ENDPOINT_URL" AWS_EC2_METADATA_DISABLED=true "${variables[@]}" "$5" "${words[@]}"
"#;

/// Its lines as they stand on the page.
fn recipe() -> Vec<&'static str> {
    let readme = include_str!("../../../README.md");
    let blocks = readme.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let [recipe] = blocks.filter(|block| block.contains("--for-containers")).collect::<Vec<_>>()[..] else {
        panic!("there is not one recipe")
    };
    recipe.lines().collect()
}

/// A shell on the machine, and the programs that the recipe names.
fn machine(case: &Case) -> Conversation<'_> {
    case.give_program("vault", format!("#!/bin/sh\nexec {PROGRAM} \"$@\"\n"));
    case.give_program("sudo", "#!/bin/sh\nexec \"$@\"\n");
    let programs = case.give_program("docker", DOCKER);
    let path = format!("{}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", programs.parent().unwrap().display());
    let port = case.sim.endpoint().rsplit(':').next().unwrap().to_owned();
    let bash = case.command("bash", &["-c", MACHINE]).variable("INSIDE", INSIDE).variable("PATH", path);
    let bash = bash.variable("SOCKET", case.given("aws.socket")).variable("AWS_PORT", port);
    bash.variable("AWS", judge("aws")).variable("VAULT_IDENTITY", case.given("recovery.txt")).converse()
}

fn does(machine: &mut Conversation, line: &str) {
    assert_eq!(machine.ask(&format!("{line}\necho done")), "done", "{line}");
}

/// What stands in the file once the server has written it.
fn variables(case: &Case) -> String {
    waiting::until_some("the variables", || {
        let written = std::fs::read_to_string(case.home().join("endpoint.env")).ok()?;
        let is_whole = written.contains("AWS_CONTAINER_AUTHORIZATION_TOKEN=") && written.ends_with('\n');
        is_whole.then_some(written)
    })
}

const WHO: &str = "import boto3; print(boto3.client(\"sts\").get_caller_identity()[\"Arn\"])";

#[test]
#[ignore = "needs a network namespace, socat, awscli and boto3"]
fn the_readmes_recipe_serves_a_container_and_no_neighbour_and_leaves_nothing() {
    let case = Case::with_prod();
    case.run(&["set", "prod", "region=eu-central-1"]).succeeds();
    case.run(&["login", "prod", "--no-export", "--mfa-code", &case.phone.code()]).succeeds();
    let recipe = recipe();
    let [address, serve, relay, run, clean_up] = recipe[..] else { panic!("{recipe:#?}") };
    let mut machine = machine(&case);
    does(&mut machine, address);
    does(&mut machine, serve);
    let variables = variables(&case);
    assert_eq!(machine.ask("stat --format %a endpoint.env"), "600");
    let port = variables.split_once("http://127.0.0.1:").unwrap().1.split_once('/').unwrap().0;
    let relay = relay.replace("PORT", port);
    does(&mut machine, &relay);
    does(&mut machine, "listens 80");

    // The AWS CLI as on the page, and boto3.
    case.sim.clear_requests();
    let mut said = machine.ask(run);
    while !said.ends_with('}') {
        said += &machine.hear();
    }
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["Arn"], case.alice.arn());
    let python = format!("python {} -c '{WHO}'", judge("python3").display());
    let boto3 = run.replace("amazon/aws-cli sts get-caller-identity", &python);
    assert_eq!(machine.ask(&boto3), case.alice.arn());
    let asked: Vec<_> =
        case.sim.requests().iter().map(|request| (request.action.clone(), request.signed_with_token)).collect();
    assert_eq!(asked, [("GetCallerIdentity".to_owned(), true), ("GetCallerIdentity".to_owned(), true)]);

    // Who leads packets for that address to this machine: without a bridge to come from it would get through.
    let anywhere = relay.replace(",so-bindtodevice=docker0", "").replace("LISTEN:80", "LISTEN:81");
    does(&mut machine, &anywhere.replace("relay=", "open="));
    does(&mut machine, "listens 81");
    assert_eq!(machine.ask("reaches 81"), "yes");
    assert_eq!(machine.ask("reaches 80"), "no");
    does(&mut machine, "kill $open; wait $open || true");

    does(&mut machine, clean_up);
    does(&mut machine, "wait $serve; wait $relay || true");
    assert_eq!(machine.ask("ss --no-header --listening --tcp | wc --lines"), "0");
    assert_eq!(machine.ask("ip -oneline address show dev docker0 | grep -c 169.254 || true"), "0");
    assert!(!case.home().join("endpoint.env").exists());
}
