//! A body on its way: decoders, splitter and parts, and the memory and time that they take.

use bytes::{Buf, Bytes};

use super::decode::{Decoder, Encoding, Encodings, Hint, Next, PIECE_BYTES, Undecodable, decoder};
use super::gathering::Gathered;
use super::parts::Parts;
use super::split::{Event, Splitter};
use super::{Failed, Heavy, Limits, Malformed, Upload, bare, content_type, weight};

/// Others get their turn after this much work: some tenths of a millisecond.
const SLICE_BYTES: usize = 128 * 1024;
/// What an event costs besides its bytes, in time.
const EVENT_BYTES: usize = 256;

/// One encoding of a body.
struct Layer {
    encoding: Encoding,
    decoder: Box<dyn Decoder>,
    /// Nothing of it has been seen yet.
    is_new: bool,
}

/// Bytes on their way through the layers.
#[derive(Default)]
struct Piece {
    bytes: Bytes,
    /// The layer that decodes them next; behind the last one they are parts.
    depth: usize,
    /// They came out of a layer, not off the wire.
    is_decoded: bool,
}

/// One body.
pub struct Form<'h> {
    /// The outermost first.
    layers: Vec<Layer>,
    splitter: Splitter,
    /// The parts until the body turns out to be malformed, then the reason.
    parts: Result<Parts, Malformed>,
    events: Vec<Event>,
    /// By all layers: a bomb in a bomb costs time before it costs memory.
    decoded_bytes: u64,
    decoded_limit_bytes: u64,
    /// Work since others had their turn.
    slice_bytes: usize,
    heavy: &'h Heavy,
}

impl<'h> Form<'h> {
    pub fn new(boundary: &[u8], encodings: Encodings, limits: Limits, heavy: &'h Heavy) -> Self {
        let parts = content_type::check_length(boundary).map(|()| Parts::new(limits));
        let form = Self::of(Splitter::new(boundary), encodings, limits, heavy);
        Self { parts, ..form }
    }

    /// A body that is no form but a minidump, with annotations in the query.
    pub async fn bare<U: Upload>(
        query: &str,
        encodings: Encodings,
        limits: Limits,
        heavy: &'h Heavy,
        body: &mut U,
    ) -> Result<Self, Failed<U::Error>> {
        let mut form = Self::of(Splitter::bare(), encodings, limits, heavy);
        for event in bare::events_before(query) {
            form.take_event(event, body).await?;
        }
        Ok(form)
    }

    fn of(splitter: Splitter, encodings: Encodings, limits: Limits, heavy: &'h Heavy) -> Self {
        let layers = encodings.to_decode(limits.extra_encodings);
        let layers = layers.map(|encoding| Layer {
            encoding,
            decoder: decoder(encoding),
            is_new: true,
        });
        Self {
            layers: layers.collect(),
            splitter,
            parts: Ok(Parts::new(limits)),
            events: Vec::new(),
            decoded_bytes: 0,
            decoded_limit_bytes: limits.inflated_bytes,
            slice_bytes: 0,
            heavy,
        }
    }

    /// The outermost encoding in which the body really comes.
    pub fn encoding(&self) -> Option<Encoding> {
        self.layers.first().map(|layer| layer.encoding)
    }

    /// Takes the next frame of the body as it was sent.
    pub async fn take_frame<U: Upload>(
        &mut self,
        frame: Bytes,
        body: &mut U,
    ) -> Result<(), Failed<U::Error>> {
        let piece = Piece {
            bytes: frame,
            ..Piece::default()
        };
        self.decode(piece, false, body).await
    }

    /// Decodes a piece, and what comes out of it before the rest of it: of each layer one piece waits at a time.
    async fn decode<U: Upload>(
        &mut self,
        piece: Piece,
        is_end: bool,
        body: &mut U,
    ) -> Result<(), Failed<U::Error>> {
        let depth_that_ends = piece.depth;
        let mut waiting = vec![piece];
        while let Some(mut piece) = waiting.pop() {
            self.drop_decoded_already(&piece);
            self.hold(0, body)?;
            let Some(layer) = self.layers.get_mut(piece.depth) else {
                self.take_decoded(piece, body).await?;
                continue;
            };
            let hint = Hint {
                wants_more: !self.splitter.is_complete(),
                is_end: is_end && piece.depth == depth_that_ends,
            };
            let step = layer.decoder.decode(&piece.bytes, hint);
            let step = step.map_err(|Undecodable| layer.encoding.malformed())?;
            piece.bytes.advance(step.done_bytes);
            self.work(step.done_bytes).await;
            let depth = piece.depth + 1;
            if step.next != Next::Input || !piece.bytes.is_empty() {
                waiting.push(piece);
            }
            if let Next::Output(bytes) = step.next {
                waiting.push(self.decoded(bytes, depth)?);
            }
            self.hold(0, body)?;
        }
        Ok(())
    }

    /// Takes out a layer whose bytes are none of its encoding but a form: a proxy has decoded it already.
    fn drop_decoded_already(&mut self, piece: &Piece) {
        while let Some(layer) = self.layers.get_mut(piece.depth)
            && let Some(first) = piece.bytes.first()
        {
            if !layer.is_new || !layer.encoding.is_decoded_already(*first) {
                layer.is_new = false;
                return;
            }
            self.layers.remove(piece.depth);
        }
    }

    /// # Errors
    /// The body has become too large.
    fn decoded<E>(&mut self, bytes: Bytes, depth: usize) -> Result<Piece, Failed<E>> {
        self.decoded_bytes += bytes.len() as u64;
        if self.decoded_bytes > self.decoded_limit_bytes {
            return Err(Failed::TooLarge);
        }
        Ok(Piece {
            bytes,
            depth,
            is_decoded: true,
        })
    }

    /// A piece that is behind all layers.
    async fn take_decoded<U: Upload>(
        &mut self,
        piece: Piece,
        body: &mut U,
    ) -> Result<(), Failed<U::Error>> {
        let length = piece.bytes.len();
        if let Ok(parts) = &mut self.parts {
            if piece.is_decoded {
                parts.next_frame(weight::block(length), false);
            } else {
                parts.next_frame(length as u64, true);
            }
        }
        self.take_plain(piece.bytes, body).await
    }

    async fn take_plain<U: Upload>(
        &mut self,
        mut frame: Bytes,
        body: &mut U,
    ) -> Result<(), Failed<U::Error>> {
        while !frame.is_empty() && self.parts.is_ok() {
            let had = frame.len();
            let split = self.splitter.split(&mut frame, &mut self.events);
            self.work(had - frame.len()).await;
            // What was met before the break counts first: the original looks at one part after the other.
            let mut events = std::mem::take(&mut self.events);
            for event in events.drain(..) {
                self.take_event(event, body).await?;
            }
            self.events = events;
            if let (Err(reason), Ok(_)) = (split, &self.parts) {
                self.refuse(reason, body)?;
            }
        }
        Ok(())
    }

    async fn take_event<U: Upload>(
        &mut self,
        event: Event,
        body: &mut U,
    ) -> Result<(), Failed<U::Error>> {
        let Ok(parts) = &self.parts else {
            return Ok(());
        };
        let (most, ends) = (parts.most(&event), event == Event::EndOfPart);
        self.hold(most, body)?;
        self.work(EVENT_BYTES).await;
        let Ok(parts) = &mut self.parts else {
            return Ok(());
        };
        // Only at its end something is made of a part; before, bytes are hashed or copied.
        let work_bytes = if ends { most } else { 0 };
        let taken = self.heavy.run(work_bytes, || parts.take(event)).await;
        match taken {
            Ok(()) => self.hold(0, body),
            Err(reason) => self.refuse(reason, body),
        }
    }

    /// Nothing will come of it: what was gathered goes.
    fn refuse<U: Upload>(
        &mut self,
        reason: Malformed,
        body: &mut U,
    ) -> Result<(), Failed<U::Error>> {
        self.parts = Err(reason);
        self.hold(0, body)
    }

    /// Asks for what there is and for `more_bytes` on top.
    fn hold<U: Upload>(&self, more_bytes: u64, body: &mut U) -> Result<(), Failed<U::Error>> {
        let parts_bytes = self.parts.as_ref().map_or(0, Parts::weight);
        let decoders = self.layers.iter().map(|layer| layer.decoder.memory_bytes());
        // Each fills a piece, and between two layers one waits.
        let pieces = (2 * self.layers.len() as u64).saturating_sub(1);
        let decoders_bytes = decoders.sum::<u64>() + pieces * weight::block(PIECE_BYTES);
        let bytes = weight::FORM + decoders_bytes + parts_bytes + more_bytes;
        body.hold(bytes).map_err(Failed::Body)
    }

    /// Bytes that were here already are worked off in slices: nothing else makes this task wait.
    async fn work(&mut self, bytes: usize) {
        self.slice_bytes += bytes;
        if self.slice_bytes >= SLICE_BYTES {
            self.slice_bytes = 0;
            tokio::task::yield_now().await;
        }
    }

    /// At the body's end: what was gathered, and what it weighs.
    pub async fn finish<U: Upload>(
        mut self,
        body: &mut U,
    ) -> Result<(Gathered, u64), Failed<U::Error>> {
        while !self.layers.is_empty() {
            self.decode(Piece::default(), true, body).await?;
            let outermost = &mut self.layers[0];
            let last = outermost.decoder.finish();
            let last = last.ok_or_else(|| outermost.encoding.malformed())?;
            let last = self.decoded(last, 1)?;
            self.decode(last, false, body).await?;
            // Not before: its piece has been weighed with it.
            self.layers.remove(0);
        }
        if self.splitter.is_bare() {
            self.take_event(Event::EndOfPart, body).await?;
        }
        let parts = self.parts?;
        let weight_bytes = parts.weight() + parts.gathering.most_at_finish();
        body.hold(weight::FORM + weight_bytes)
            .map_err(Failed::Body)?;
        let gathered = if self.splitter.is_complete() {
            let work_bytes = parts.gathering.most_at_finish();
            self.heavy
                .run(work_bytes, || parts.gathering.finish())
                .await
        } else {
            // A document of many megabytes is looked at once more.
            let reason = self.heavy.run(weight_bytes, || parts.cut_short()).await;
            Err(reason)
        };
        Ok((gathered?, weight_bytes))
    }
}
