//! Servers of states, and what they tell of every version that was written.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;
use terrace_port::Clock;
use terrace_test_services::{
    Azurite, Fault, HTTP_FAULTS, Moto, Postgres, Proxy, StateServer, TCP_FAULTS,
};
use terrace_test_support::available;

/// The time.
struct Now;

impl Clock for Now {
    fn now(&self) -> (i64, u32) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.unwrap();
        (i64::try_from(now.as_secs()).unwrap(), now.subsec_nanos())
    }
}

/// A server of states.
pub(crate) enum Service {
    S3(Moto),
    Pg(Postgres),
    Http(StateServer),
    Azurerm(Azurite),
}

/// Every version of a state that was written, and every epoch, in order.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) states: Vec<Version>,
    pub(crate) epochs: Vec<u64>,
}

/// A version of a state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Version {
    pub(crate) serial: u64,
    pub(crate) writer: String,
    pub(crate) content: String,
}

impl Version {
    /// Reads one; `None` where it is no state.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let content = String::from_utf8_lossy(bytes).trim().to_owned();
        let state: Value = serde_json::from_str(&content).ok()?;
        Some(Self {
            serial: state.get("serial")?.as_u64()?,
            writer: state["outputs"]["writer"]["value"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            content,
        })
    }
}

impl History {
    fn add(&mut self, bytes: &[u8]) {
        let version = Version::read(bytes);
        // Who takes a lock over writes the state again as it is, so that a former holder's write is refused.
        let version = version.filter(|version| self.states.last() != Some(version));
        self.states.extend(version);
    }

    fn add_epoch(&mut self, text: &str) {
        let number = text.split_whitespace().next().unwrap_or_default();
        self.epochs.extend(number.parse::<u64>().ok());
    }

    /// Each state follows the one before, and each holder's epoch is higher than all before.
    #[track_caller]
    pub(crate) fn has_one_writer_at_a_time(&self) {
        assert!(!self.states.is_empty());
        let serials: Vec<u64> = self.states.iter().map(|version| version.serial).collect();
        let expected: Vec<u64> = (1..=serials.len() as u64).collect();
        assert_eq!(
            serials, expected,
            "the serials of all states that were written"
        );
        let rises = self.epochs.windows(2).all(|two| two[0] < two[1]);
        assert!(rises, "epochs: {:?}", self.epochs);
    }
}

impl Service {
    pub(crate) fn s3() -> Option<Self> {
        let moto = available("faults before s3", Moto::start())?;
        let authority = moto.endpoint().replace("http://", "");
        let mut stream = TcpStream::connect(&authority).unwrap();
        let request = format!(
            "PUT /states HTTP/1.1\r\nHost: {authority}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        Some(Self::S3(moto))
    }

    pub(crate) fn pg() -> Option<Self> {
        available("faults before pg", Postgres::start()).map(Self::Pg)
    }

    pub(crate) fn http() -> Self {
        Self::Http(StateServer::start().unwrap())
    }

    pub(crate) fn azurerm() -> Option<Self> {
        let azurite = available("faults before azurerm", Azurite::start())?;
        let endpoint = azurite.endpoint();
        let made = terrace_backend_azurerm::create_container(
            Arc::new(Now),
            &endpoint,
            azurite.account(),
            azurite.key(),
            "states",
        );
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(made).unwrap();
        Some(Self::Azurerm(azurite))
    }

    /// A proxy before it.
    pub(crate) fn proxy(&self) -> Proxy {
        let host = |address: &str| -> SocketAddr {
            let address = address.trim_start_matches("http://");
            address.split('/').next().unwrap().parse().unwrap()
        };
        match self {
            Self::S3(moto) => Proxy::http(host(&moto.endpoint())).unwrap(),
            Self::Http(server) => Proxy::http(host(&server.state_address())).unwrap(),
            Self::Azurerm(azurite) => Proxy::http(host(&azurite.endpoint())).unwrap(),
            Self::Pg(postgres) => Proxy::tcp(postgres.address()).unwrap(),
        }
    }

    /// What can go wrong on the way to it.
    pub(crate) fn faults(&self) -> (&'static [Fault], u64) {
        match self {
            Self::Pg(_) => (&TCP_FAULTS, 6),
            _ => (&HTTP_FAULTS, 20),
        }
    }

    /// The block by which a state is kept there, by an address.
    pub(crate) fn block(&self, at: SocketAddr, key: &str, more: &str) -> String {
        match self {
            Self::S3(_) => format!(
                "backend \"s3\" {{\n    bucket                  = \"states\"\n    key                     = \"{key}.tfstate\"\n    region                  = \"us-east-1\"\n    use_path_style          = true\n    use_lockfile            = true\n    skip_metadata_api_check = true\n    {more}\n    endpoints = {{\n      s3  = \"http://{at}\"\n      sts = \"http://{at}\"\n    }}\n  }}"
            ),
            Self::Pg(_) => format!(
                "backend \"pg\" {{\n    conn_str = {:?}\n    {more}\n  }}",
                Postgres::connection_string_at(at, key)
            ),
            Self::Http(_) => format!(
                "backend \"http\" {{\n    address        = \"http://{at}/state\"\n    lock_address   = \"http://{at}/lock\"\n    unlock_address = \"http://{at}/lock\"\n    retry_max      = 6\n    retry_wait_min = 1\n    retry_wait_max = 3\n    {more}\n  }}"
            ),
            Self::Azurerm(azurite) => format!(
                "backend \"azurerm\" {{\n    storage_account_name = \"{account}\"\n    container_name       = \"states\"\n    key                  = \"{key}.tfstate\"\n    access_key           = \"{}\"\n    blob_endpoint        = \"http://{at}/{account}\"\n    {more}\n  }}",
                azurite.key(),
                account = azurite.account()
            ),
        }
    }

    /// Has room for a state by a name, of which every version is recorded from now on.
    pub(crate) fn prepare(&self, key: &str) {
        let Self::Pg(postgres) = self else { return };
        postgres.create(key).unwrap();
        // The tables that the backend would make, so that there is something to watch.
        let statements = "CREATE SCHEMA terraform_remote_state;
            CREATE SEQUENCE public.global_states_id_seq AS bigint;
            CREATE TABLE terraform_remote_state.states (id bigint NOT NULL DEFAULT nextval('public.global_states_id_seq') PRIMARY KEY, name text UNIQUE, data text);
            CREATE UNIQUE INDEX states_by_name ON terraform_remote_state.states (name);
            CREATE TABLE terraform_remote_state.terrace_objects (name text PRIMARY KEY, data bytea NOT NULL, version bigserial);
            CREATE TABLE public.history (n bigserial PRIMARY KEY, what text, content text);
            CREATE FUNCTION public.record() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF TG_TABLE_NAME = 'states' THEN
                INSERT INTO public.history (what, content) VALUES ('state', encode(convert_to(NEW.data, 'UTF8'), 'hex'));
              ELSIF NEW.name LIKE '%/epoch' THEN
                INSERT INTO public.history (what, content) VALUES ('epoch', encode(NEW.data, 'hex'));
              END IF;
              RETURN NEW;
            END $$;
            CREATE TRIGGER record AFTER INSERT OR UPDATE ON terraform_remote_state.states FOR EACH ROW EXECUTE FUNCTION public.record();
            CREATE TRIGGER record AFTER INSERT OR UPDATE ON terraform_remote_state.terrace_objects FOR EACH ROW EXECUTE FUNCTION public.record()";
        postgres.query(key, statements).unwrap();
    }

    /// Every version that was written of a state.
    pub(crate) fn history(&self, proxy: &Proxy, key: &str) -> History {
        let mut history = History::default();
        if let Self::Pg(postgres) = self {
            let rows = postgres
                .query(key, "SELECT what, content FROM public.history ORDER BY n")
                .unwrap();
            for row in rows.lines() {
                let (what, content) = row.split_once('|').unwrap();
                let bytes = unhex(content);
                match what {
                    "state" => history.add(&bytes),
                    _ => history.add_epoch(&String::from_utf8_lossy(&bytes)),
                }
            }
            return history;
        }
        if let Self::Http(server) = self {
            for bytes in server.history() {
                history.add(&bytes);
            }
            return history;
        }
        let state = format!("/{key}.tfstate");
        let epoch = format!("{state}.terrace/epoch");
        for exchange in proxy.history() {
            if exchange.method != "PUT" || !(200..300).contains(&exchange.status) {
                continue;
            }
            if exchange.path.ends_with(&epoch) {
                history.add_epoch(&String::from_utf8_lossy(&exchange.body));
            } else if exchange.path.ends_with(&state) {
                history.add(&exchange.body);
            }
        }
        history
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .filter_map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok())
        .collect()
}
