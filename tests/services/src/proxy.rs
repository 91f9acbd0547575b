//! A network that fails: a TCP proxy that delays, cuts, swallows, and answers in its server's place.
//!
//! What it does is drawn from a seed, or told by a test. It knows HTTP or plain TCP. While it is calm it forwards everything.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Something that goes wrong with a request, or with a piece of a TCP stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It arrives late, by up to so many milliseconds.
    Delay(u16),
    /// The connection is cut before the server has seen it.
    CutBefore,
    /// The connection is cut in the middle of it: the server sees a part.
    CutInRequest,
    /// The server carries it out, and the connection is cut before the answer.
    LostAnswer,
    /// The connection is cut in the middle of the answer.
    CutInAnswer,
    /// The server never sees it and this status is answered. Only where the proxy knows HTTP; otherwise as `CutBefore`.
    Status(u16),
}

impl Fault {
    /// A name for reports.
    pub fn name(self) -> String {
        match self {
            Self::Delay(_) => "delay".to_owned(),
            Self::CutBefore => "cut before the request".to_owned(),
            Self::CutInRequest => "cut in the request".to_owned(),
            Self::LostAnswer => "lost answer".to_owned(),
            Self::CutInAnswer => "cut in the answer".to_owned(),
            Self::Status(status) => format!("status {status}"),
        }
    }
}

/// Every kind of fault, for HTTP.
pub const HTTP_FAULTS: [Fault; 9] = [
    Fault::Delay(150),
    Fault::CutBefore,
    Fault::CutInRequest,
    Fault::LostAnswer,
    Fault::CutInAnswer,
    Fault::Status(500),
    Fault::Status(502),
    Fault::Status(503),
    Fault::Status(429),
];

/// Every kind of fault, for TCP.
pub const TCP_FAULTS: [Fault; 5] = [
    Fault::Delay(150),
    Fault::CutBefore,
    Fault::CutInRequest,
    Fault::LostAnswer,
    Fault::CutInAnswer,
];

/// Which way a partition keeps from getting through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the server.
    There,
    /// From the server.
    Back,
    /// Neither.
    Both,
}

/// A request that the server has answered, whether or not the answer got through.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Such as `PUT`.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// What was sent.
    pub body: Vec<u8>,
    /// The status of the answer.
    pub status: u16,
}

/// A proxy before a server. Dropping it ends it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    knows_http: bool,
    weather: Mutex<Weather>,
    changed: Condvar,
    history: Arc<Mutex<Vec<Exchange>>>,
}

#[derive(Debug, Default)]
struct Weather {
    over: bool,
    /// Connections are refused: closed as soon as they are made.
    is_down: bool,
    there_is_closed: bool,
    back_is_closed: bool,
    dice: Option<Dice>,
    connections: Vec<TcpStream>,
    counts: BTreeMap<String, usize>,
    requests: usize,
    watch: Option<Watch>,
}

/// What tells a request from others, by its head and body.
type Fits = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Looks out for requests.
#[derive(Clone)]
struct Watch {
    fits: Fits,
    /// How many have come.
    seen: usize,
    /// The one that nothing gets past, and where it stops.
    last: Option<(usize, Way)>,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("seen", &self.seen)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

/// Draws faults.
#[derive(Clone, Debug)]
struct Dice {
    seed: u64,
    share: u64,
    faults: Vec<Fault>,
}

impl Dice {
    /// The next number of splitmix64.
    fn next(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.seed;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    fn draw(&mut self) -> Option<(Fault, u64)> {
        if self.next() % 100 >= self.share || self.faults.is_empty() {
            return None;
        }
        let index = usize::try_from(self.next() % self.faults.len() as u64).unwrap_or_default();
        Some((self.faults[index], self.next()))
    }
}

impl Proxy {
    /// A proxy before a server of HTTP.
    pub fn http(server: SocketAddr) -> io::Result<Self> {
        Self::start(server, true, Arc::default())
    }

    /// A proxy before any server.
    pub fn tcp(server: SocketAddr) -> io::Result<Self> {
        Self::start(server, false, Arc::default())
    }

    /// Another one before the same server, with a weather of its own. They write one history.
    pub fn beside(&self) -> io::Result<Self> {
        let history = Arc::clone(&self.shared.history);
        Self::start(self.shared.server, self.shared.knows_http, history)
    }

    fn start(
        server: SocketAddr,
        knows_http: bool,
        history: Arc<Mutex<Vec<Exchange>>>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            server,
            knows_http,
            weather: Mutex::default(),
            changed: Condvar::new(),
            history,
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if serving.weather().over {
                    return;
                }
                let Ok(client) = client else { continue };
                let shared = Arc::clone(&serving);
                std::thread::spawn(move || drop(shared.serve(client)));
            }
        });
        Ok(Self { address, shared })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, so many of a hundred requests meet one of these faults.
    pub fn disturb(&self, seed: u64, share: u64, faults: &[Fault]) {
        self.shared.weather().dice = Some(Dice {
            seed,
            share,
            faults: faults.to_vec(),
        });
    }

    /// From now on everything is forwarded, also what was held back.
    pub fn calm(&self) {
        let mut weather = self.shared.weather();
        weather.dice = None;
        weather.watch = None;
        weather.is_down = false;
        weather.there_is_closed = false;
        weather.back_is_closed = false;
        self.shared.changed.notify_all();
    }

    /// From now on nothing gets through that way. It is held back, and arrives after [`calm`](Self::calm), as what a network
    /// sends again and again does: also when who has sent it is gone by then.
    pub fn partition(&self, way: Way) {
        let mut weather = self.shared.weather();
        weather.there_is_closed = matches!(way, Way::There | Way::Both);
        weather.back_is_closed = matches!(way, Way::Back | Way::Both);
    }

    /// From now on, counts the requests that fit. From the one of this number on (the first is 1), nothing gets through that
    /// way: it comes before the server, or the server has carried it out and its answer does not go on. Only where the proxy
    /// knows HTTP.
    pub fn stop_at(
        &self,
        number: usize,
        way: Way,
        fits: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) {
        self.shared.weather().watch = Some(Watch {
            fits: Arc::new(fits),
            seen: 0,
            last: Some((number, way)),
        });
    }

    /// Counts the requests that fit from now on.
    pub fn count(&self, fits: impl Fn(&str) -> bool + Send + Sync + 'static) {
        self.shared.weather().watch = Some(Watch {
            fits: Arc::new(fits),
            seen: 0,
            last: None,
        });
    }

    /// How many of the requests that are counted have come.
    pub fn counted(&self) -> usize {
        let weather = self.shared.weather();
        weather.watch.as_ref().map_or(0, |watch| watch.seen)
    }

    /// Whether something is held back.
    pub fn is_stopped(&self) -> bool {
        let weather = self.shared.weather();
        weather.there_is_closed || weather.back_is_closed
    }

    /// Cuts all connections. New ones are as before.
    pub fn cut(&self) {
        self.shared.weather().cut();
    }

    /// Cuts all connections, and closes new ones at once.
    pub fn shut_down(&self) {
        let mut weather = self.shared.weather();
        weather.is_down = true;
        weather.cut();
    }

    /// How often which fault has been met.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        self.shared.weather().counts.clone()
    }

    /// Everything that the server has answered, in order: an exchange is written down before its answer goes on. Only where the
    /// proxy knows HTTP.
    pub fn history(&self) -> Vec<Exchange> {
        let history = &self.shared.history;
        history
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How many requests (or pieces of streams) there were.
    pub fn requests(&self) -> usize {
        self.shared.weather().requests
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut weather = self.shared.weather();
        weather.over = true;
        weather.cut();
        drop(weather);
        self.shared.changed.notify_all();
        // The thread that listens looks up.
        drop(TcpStream::connect(self.address));
    }
}

impl Weather {
    fn cut(&mut self) {
        for connection in self.connections.drain(..) {
            connection.shutdown(Shutdown::Both).ok();
        }
    }
}

/// A connection's end: what follows does not matter.
fn gone<T>() -> io::Result<T> {
    Err(io::ErrorKind::ConnectionAborted.into())
}

impl Shared {
    fn weather(&self) -> MutexGuard<'_, Weather> {
        self.weather.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a way is open.
    fn wait(&self, is_closed: fn(&Weather) -> bool) -> io::Result<()> {
        let mut weather = self.weather();
        while is_closed(&weather) && !weather.over {
            weather = self
                .changed
                .wait(weather)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if weather.over { gone() } else { Ok(()) }
    }

    fn wait_there(&self) -> io::Result<()> {
        self.wait(|weather| weather.there_is_closed)
    }

    fn wait_back(&self) -> io::Result<()> {
        self.wait(|weather| weather.back_is_closed)
    }

    /// Counts a request, and says where it stops if it is the one that does.
    fn stops(&self, request: &[u8]) -> Option<Way> {
        let mut weather = self.weather();
        let watch = weather.watch.as_mut()?;
        if !(watch.fits)(&String::from_utf8_lossy(request)) {
            return None;
        }
        watch.seen += 1;
        let (number, way) = watch.last?;
        (watch.seen == number).then_some(way)
    }

    /// What goes wrong next.
    fn draw(&self) -> Option<(Fault, u64)> {
        let mut weather = self.weather();
        weather.requests += 1;
        let drawn = weather.dice.as_mut().and_then(Dice::draw);
        if let Some((fault, _)) = drawn {
            *weather.counts.entry(fault.name()).or_default() += 1;
        }
        drawn
    }

    fn serve(self: Arc<Self>, client: TcpStream) -> io::Result<()> {
        let server = TcpStream::connect(self.server)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        {
            let mut weather = self.weather();
            if weather.is_down {
                return client.shutdown(Shutdown::Both);
            }
            let ends = [client.try_clone()?, server.try_clone()?];
            weather.connections.extend(ends);
        }
        let (one, other) = (client.try_clone()?, server.try_clone()?);
        let served = if self.knows_http {
            self.serve_http(client, server)
        } else {
            Arc::clone(&self).serve_tcp(client, server)
        };
        one.shutdown(Shutdown::Both).ok();
        other.shutdown(Shutdown::Both).ok();
        served
    }

    fn serve_http(&self, mut client: TcpStream, mut server: TcpStream) -> io::Result<()> {
        let mut from_client = BufReader::new(client.try_clone()?);
        let mut from_server = BufReader::new(server.try_clone()?);
        while let Some(request) = read_message(&mut from_client, &client, false)? {
            let drawn = self.draw();
            match drawn {
                Some((Fault::Delay(longest), number)) => nap(longest, number),
                Some((Fault::CutBefore, _)) => return gone(),
                Some((Fault::CutInRequest, number)) => {
                    server.write_all(part(&request, number))?;
                    return gone();
                }
                Some((Fault::Status(status), _)) => {
                    client.write_all(&refusal(status))?;
                    continue;
                }
                _ => {}
            }
            let stops = self.stops(&request);
            if matches!(stops, Some(Way::There | Way::Both)) {
                self.weather().there_is_closed = true;
            }
            self.wait_there()?;
            server.write_all(&request)?;
            let is_head = request.starts_with(b"HEAD ");
            let Some(answer) = read_message(&mut from_server, &server, is_head)? else {
                return gone();
            };
            self.write_down(&request, &answer);
            if stops == Some(Way::Back) {
                self.weather().back_is_closed = true;
            }
            match drawn {
                Some((Fault::LostAnswer, _)) => return gone(),
                Some((Fault::CutInAnswer, number)) => {
                    client.write_all(part(&answer, number))?;
                    return gone();
                }
                _ => {}
            }
            self.wait_back()?;
            client.write_all(&answer)?;
        }
        Ok(())
    }

    fn write_down(&self, request: &[u8], answer: &[u8]) {
        let end = request.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        let (head, body) = request.split_at(end.map_or(request.len(), |end| end + 4));
        let head = String::from_utf8_lossy(head);
        let mut words = head.split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or_default();
        let answer = String::from_utf8_lossy(&answer[..answer.len().min(16)]).into_owned();
        let status = answer.split(' ').nth(1).and_then(|text| text.parse().ok());
        let exchange = Exchange {
            method,
            path: target.split('?').next().unwrap_or_default().to_owned(),
            body: body.to_vec(),
            status: status.unwrap_or_default(),
        };
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        history.push(exchange);
    }

    /// Forwards both ways. A fault is drawn for each piece that the client sends.
    fn serve_tcp(self: Arc<Self>, client: TcpStream, server: TcpStream) -> io::Result<()> {
        // What becomes of the next piece of the answer.
        let answer: Arc<Mutex<Option<(Fault, u64)>>> = Arc::default();
        let back = {
            let shared = Arc::clone(&self);
            let answer = Arc::clone(&answer);
            let (mut client, mut server) = (client.try_clone()?, server.try_clone()?);
            std::thread::spawn(move || {
                let done = shared.forward_back(&mut server, &mut client, &answer);
                client.shutdown(Shutdown::Both).ok();
                server.shutdown(Shutdown::Both).ok();
                drop(done);
            })
        };
        let done = self.forward_there(client, server, &answer);
        drop(back);
        done
    }

    fn forward_there(
        &self,
        mut client: TcpStream,
        mut server: TcpStream,
        answer: &Mutex<Option<(Fault, u64)>>,
    ) -> io::Result<()> {
        let mut bytes = vec![0; 64 << 10];
        loop {
            let length = client.read(&mut bytes)?;
            if length == 0 {
                return Ok(());
            }
            let piece = &bytes[..length];
            match self.draw() {
                Some((Fault::Delay(longest), number)) => nap(longest, number),
                Some((Fault::CutBefore | Fault::Status(_), _)) => return gone(),
                Some((Fault::CutInRequest, number)) => {
                    server.write_all(part(piece, number))?;
                    return gone();
                }
                Some(drawn) => {
                    *answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(drawn);
                }
                None => {}
            }
            self.wait_there()?;
            server.write_all(piece)?;
        }
    }

    fn forward_back(
        &self,
        server: &mut TcpStream,
        client: &mut TcpStream,
        answer: &Mutex<Option<(Fault, u64)>>,
    ) -> io::Result<()> {
        let mut bytes = vec![0; 64 << 10];
        loop {
            let length = server.read(&mut bytes)?;
            if length == 0 {
                return Ok(());
            }
            let piece = &bytes[..length];
            let drawn = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
            match drawn {
                Some((Fault::LostAnswer, _)) => return gone(),
                Some((_, number)) => {
                    client.write_all(part(piece, number))?;
                    return gone();
                }
                None => {}
            }
            self.wait_back()?;
            client.write_all(piece)?;
        }
    }
}

fn nap(longest: u16, number: u64) {
    std::thread::sleep(Duration::from_millis(number % (u64::from(longest) + 1)));
}

/// The beginning of a message: not all of it.
fn part(bytes: &[u8], number: u64) -> &[u8] {
    let length = usize::try_from(number % bytes.len().max(1) as u64).unwrap_or_default();
    &bytes[..length]
}

/// An answer in the server's place, in the words of object stores.
fn refusal(status: u16) -> Vec<u8> {
    let code = match status {
        503 => "SlowDown",
        429 => "TooManyRequests",
        502 => "BadGateway",
        _ => "InternalError",
    };
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>The network says so.</Message></Error>"
    );
    let head = format!(
        "HTTP/1.1 {status} {code}\r\nContent-Type: application/xml\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head, body].concat().into_bytes()
}

/// One whole message as it was sent; `None` where the connection ends before it. `to` is asked to go on where the sender waits
/// for that before it sends the body.
fn read_message(
    reader: &mut impl BufRead,
    mut to: &TcpStream,
    is_answer_to_head: bool,
) -> io::Result<Option<Vec<u8>>> {
    let mut message = Vec::new();
    let mut length = None;
    let mut is_chunked = false;
    let mut waits = false;
    loop {
        let begin = message.len();
        if reader.read_until(b'\n', &mut message)? == 0 {
            return if begin == 0 { Ok(None) } else { gone() };
        }
        let line = String::from_utf8_lossy(&message[begin..]).to_lowercase();
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            match name {
                "content-length" => length = value.trim().parse::<u64>().ok(),
                "transfer-encoding" => is_chunked = value.contains("chunked"),
                "expect" => waits = value.contains("100-continue"),
                _ => {}
            }
        }
    }
    if waits {
        to.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let first = String::from_utf8_lossy(&message[..message.len().min(16)]).into_owned();
    if first.starts_with("HTTP/1.1 100") {
        // The real answer follows; this one was given already.
        return read_message(reader, to, is_answer_to_head);
    }
    let has_no_body =
        is_answer_to_head || first.starts_with("HTTP/1.1 204") || first.starts_with("HTTP/1.1 304");
    if has_no_body {
        return Ok(Some(message));
    }
    if is_chunked {
        read_chunks(reader, &mut message)?;
    } else if let Some(length) = length {
        let read = io::Read::take(&mut *reader, length).read_to_end(&mut message)?;
        if (read as u64) < length {
            return gone();
        }
    } else if first.starts_with("HTTP/") {
        // Until the connection ends.
        reader.read_to_end(&mut message)?;
    }
    Ok(Some(message))
}

fn read_chunks(reader: &mut impl BufRead, message: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let begin = message.len();
        if reader.read_until(b'\n', message)? == 0 {
            return gone();
        }
        let line = String::from_utf8_lossy(&message[begin..]).into_owned();
        let size = line.trim().split(';').next().unwrap_or_default();
        let Ok(size) = u64::from_str_radix(size, 16) else {
            return gone();
        };
        // The chunk and its line end; behind the last one there is only the latter.
        let read = io::Read::take(&mut *reader, size + 2).read_to_end(message)?;
        if (read as u64) < size + 2 {
            return gone();
        }
        if size == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StateServer;

    fn server_of(address: &str) -> SocketAddr {
        let host = address.trim_start_matches("http://");
        host.split('/').next().unwrap().parse().unwrap()
    }

    /// The status of an answer; `None` where there was none.
    fn ask(address: SocketAddr, method: &str, body: &str) -> Option<String> {
        let mut stream = TcpStream::connect(address).unwrap();
        let request = format!(
            "{method} /state HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).ok()?;
        line.split(' ').nth(1).map(str::to_owned)
    }

    #[test]
    fn each_fault_does_what_it_says() {
        let server = StateServer::start().unwrap();
        let proxy = Proxy::http(server_of(&server.state_address())).unwrap();
        let at = proxy.address();
        assert_eq!(ask(at, "POST", "one").as_deref(), Some("200"));
        for (fault, answer, arrives) in [
            (Fault::Delay(5), Some("200"), true),
            (Fault::CutBefore, None, false),
            (Fault::CutInRequest, None, false),
            (Fault::LostAnswer, None, true),
            (Fault::Status(503), Some("503"), false),
        ] {
            let before = server.history().len();
            proxy.disturb(1, 100, &[fault]);
            assert_eq!(ask(at, "POST", "two").as_deref(), answer, "{fault:?}");
            proxy.calm();
            // A request in line behind it: what was to arrive has arrived.
            assert_eq!(ask(at, "GET", "").as_deref(), Some("200"));
            let after = server.history().len();
            assert_eq!(after - before, usize::from(arrives), "{fault:?}");
        }
        assert_eq!(proxy.counts().len(), 5);
    }

    #[test]
    fn a_partition_holds_back_and_calm_lets_through() {
        let server = StateServer::start().unwrap();
        let proxy = Proxy::tcp(server_of(&server.state_address())).unwrap();
        let at = proxy.address();
        proxy.partition(Way::There);
        let asking = std::thread::spawn(move || ask(at, "POST", "late"));
        while proxy.requests() == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(server.history().is_empty());
        proxy.calm();
        assert_eq!(asking.join().unwrap().as_deref(), Some("200"));
        assert_eq!(server.history(), [b"late".to_vec()]);
        proxy.shut_down();
        assert_eq!(ask(at, "GET", ""), None);
    }
}
