//! The packet rules that `harden apply` loads, met by a process of the agent's account: in a network namespace of its
//! own, it tries every way out that was ever forgotten.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::time::Duration;

use harden::apply::{Machine, RealMachine};
use harden::artifact::{self, Account, Site};
use harden::model::{AbsPath, Action, Gid, Os, Parameters, Uid, declared};
use serde_json::json;

const ROLE: &str = "HARDEN_EGRESS_RULES";
const TEST: &str = "egress_rules::the_agent_reaches_what_it_may_and_nothing_else";
/// `nobody`: an account that is there everywhere.
const AGENT: u32 = 65534;
const ALLOWED: u16 = 11434;
const CLOSED: u16 = 5432;

#[test]
fn the_agent_reaches_what_it_may_and_nothing_else() {
    if !crate::disposable(TEST) {
        return;
    }
    if std::env::var_os(ROLE).is_some() {
        return inside();
    }
    let me = std::env::current_exe().expect("has a path");
    let mut command = Command::new("unshare");
    command.arg("-n").arg(me).args([TEST, "--exact", "--nocapture", "--test-threads=1"]).env(ROLE, "inside");
    assert!(command.status().expect("unshare starts").success(), "see above");
}

fn shell(script: &str) {
    let status = Command::new("bash").args(["-ec", script]).status().expect("bash starts");
    assert!(status.success(), "{script}");
}

/// The rules for `nobody`, as they are written and as they are loaded.
fn rules() -> Vec<Action> {
    let path = |text: &str| AbsPath::new(text).expect("absolute");
    let account =
        Account { name: "nobody".into(), uid: Uid(AGENT), gid: Gid(AGENT), home: path("/nonexistent"), exists: true };
    let parameters = [
        ("model_endpoint", json!(format!("http://127.0.0.1:{ALLOWED}/v1"))),
        ("allowed_hosts", json!(["192.0.2.7", "2001:db8::7"])),
        ("denied_endpoints", json!(["169.254.169.254"])),
    ];
    let parameters = Parameters(parameters.map(|(name, value)| (name.to_owned(), value)).into());
    let site = Site {
        os: Os::Linux,
        account: Ok(account),
        developer: None,
        agent: "OpenCode".into(),
        managed_config: None,
        command: "opencode".into(),
        off_switches: Vec::new(),
        ignored: Vec::new(),
        audit_log_mib: 0,
        workspace: path("/"),
        project: path("/"),
        project_owner: (Uid(0), Gid(0)),
        launcher: path("/usr/local/bin/x"),
        runs_32_bit: true,
        has_systemd: false,
        there: Vec::new(),
        dialect: None,
        project_off: None,
        policy: declared("production", &parameters, &path("/srv/x")),
        approvals: Vec::new(),
        accepted: Ok(String::new()),
    };
    artifact::build("egress", &site).expect("can be written")
}

fn inside() {
    shell(
        "ip link set lo up; ip link add out0 type veth peer name beyond; ip link set beyond up; ip addr add 198.18.0.1/24 dev out0
         ip -6 addr add 2001:db8:77::1/64 dev out0 nodad; ip link set out0 up
         ip route add default dev out0; ip -6 route add default dev out0",
    );
    let (mut file, mut table) = (String::new(), String::new());
    for action in rules() {
        match action {
            Action::WriteFile { content, check: Some(_), .. } => file = content,
            Action::LoadTable { text, .. } => table = text,
            _ => {}
        }
    }
    // As the boot loads it, twice: the second takes the first's place.
    for _ in 0..2 {
        let mut nft = Command::new("nft").args(["-f", "-"]).stdin(Stdio::piped()).spawn().expect("nft starts");
        nft.stdin.take().expect("piped").write_all(file.as_bytes()).expect("writes");
        assert!(nft.wait().expect("ends").success());
    }
    let machine = RealMachine::live().expect("opens /");
    let listed = machine.ask(harden::apply::Changer::Nft, &["-s", "list", "table", "inet", "harden"]).expect("lists");
    assert_eq!(listed.stdout, table, "what is loaded reads as it was planned");

    let serve = |address: &str| {
        let listener = TcpListener::bind(address).expect(address);
        std::thread::spawn(move || listener.incoming().flatten().for_each(|mut stream| drop(stream.write_all(b"ok"))));
    };
    for port in [ALLOWED, CLOSED, 53] {
        serve(&format!("127.0.0.1:{port}"));
        serve(&format!("[::1]:{port}"));
    }
    let tries = [
        ("the model's port", tcp("127.0.0.1", ALLOWED), true),
        ("the model's port over IPv6", tcp("::1", ALLOWED), true),
        ("another port of loopback", tcp("127.0.0.1", CLOSED), false),
        ("another port of loopback over IPv6", tcp("::1", CLOSED), false),
        ("another address of loopback", tcp("127.0.0.2", ALLOWED), false),
        ("loopback as v4-mapped", tcp("::ffff:127.0.0.1", CLOSED), false),
        ("names over TCP", tcp("127.0.0.1", 53), false),
        ("the model's port as v4-mapped", tcp("::ffff:127.0.0.1", ALLOWED), true),
        ("names", udp("127.0.0.53", 53), false),
        ("names at an allowed host", udp("192.0.2.7", 53), false),
        ("an address", udp("198.51.100.9", 1234), false),
        ("an address over IPv6", udp("2001:db8:9::9", 1234), false),
        ("an address as v4-mapped", udp("::ffff:198.51.100.9", 1234), false),
        ("the metadata service", tcp("169.254.169.254", 80), false),
        ("an address over TCP", tcp("198.51.100.9", 443), false),
        ("an address over TCP and IPv6", tcp("2001:db8:9::9", 443), false),
    ];
    for (what, way, open) in tries {
        let as_agent = as_account(AGENT, way.clone());
        assert_eq!(as_agent.is_ok(), open, "{what}: {as_agent:?}");
    }
    // Rules are about the account: everybody else gets where they got before.
    for way in [tcp("127.0.0.1", CLOSED), tcp("::1", CLOSED), udp("198.51.100.9", 1234), udp("2001:db8:9::9", 1234)] {
        as_account(1, way.clone()).unwrap_or_else(|error| panic!("{way:?}: {error}"));
    }
    // An answer to somebody else's connection is no way out.
    let listener = as_account_listens();
    let mut stream = TcpStream::connect(listener).expect("connects to the agent");
    let mut said = String::new();
    stream.read_to_string(&mut said).expect("is answered");
    assert_eq!(said, "answer");
}

#[derive(Clone, Debug)]
enum Way {
    Tcp(SocketAddr),
    Udp(SocketAddr),
}

fn tcp(address: &str, port: u16) -> Way {
    Way::Tcp(SocketAddr::new(address.parse::<IpAddr>().expect(address), port))
}

fn udp(address: &str, port: u16) -> Way {
    Way::Udp(SocketAddr::new(address.parse::<IpAddr>().expect(address), port))
}

fn become_account(number: u32) {
    let (user, group) = (rustix::process::Uid::from_raw(number), rustix::process::Gid::from_raw(number));
    rustix::thread::set_thread_groups(&[]).expect("is root");
    rustix::thread::set_thread_res_gid(group, group, group).expect("is root");
    rustix::thread::set_thread_res_uid(user, user, user).expect("is root");
}

/// Tries a way in a thread of another account.
fn as_account(number: u32, way: Way) -> io::Result<()> {
    let attempt = move || {
        become_account(number);
        match way {
            Way::Tcp(to) => {
                let mut stream = TcpStream::connect_timeout(&to, Duration::from_secs(2))?;
                stream.set_read_timeout(Some(Duration::from_secs(5)))?;
                let mut said = [0; 2];
                stream.read_exact(&mut said)
            }
            Way::Udp(to) => {
                let from = if to.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" };
                UdpSocket::bind(from)?.send_to(b"?", to).map(drop)
            }
        }
    };
    std::thread::spawn(attempt).join().expect("the thread ends")
}

/// A server of the agent's account.
fn as_account_listens() -> SocketAddr {
    let (told, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        become_account(AGENT);
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        told.send(listener.local_addr().expect("has one")).expect("is heard");
        let (mut stream, _) = listener.accept().expect("is called");
        stream.write_all(b"answer").expect("answers");
    });
    address.recv().expect("is told")
}
