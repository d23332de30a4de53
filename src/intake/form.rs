//! A body on its way: decoder, splitter and parts, and the memory and time that they take.

use bytes::Bytes;

use super::decode::{Decoder, Encoding, Hint, Next, Undecodable};
use super::parts::{Gathered, Parts};
use super::split::{Event, Splitter};
use super::{Failed, Heavy, Limits, Malformed, Upload, content_type, weight};

/// Others get their turn after this much work: some tenths of a millisecond.
const SLICE_BYTES: usize = 128 * 1024;
/// What an event costs besides its bytes, in time.
const EVENT_BYTES: usize = 256;

/// One body.
pub struct Form<'h> {
    decoder: Option<(Encoding, Decoder)>,
    decoder_bytes: u64,
    splitter: Splitter,
    /// The parts until the body turns out to be malformed, then the reason.
    parts: Result<Parts, Malformed>,
    events: Vec<Event>,
    inflated_bytes: u64,
    inflated_limit_bytes: u64,
    /// Work since others had their turn.
    slice_bytes: usize,
    heavy: &'h Heavy,
}

impl<'h> Form<'h> {
    pub fn new(
        boundary: &[u8],
        encoding: Option<Encoding>,
        limits: Limits,
        heavy: &'h Heavy,
    ) -> Self {
        Self {
            decoder: encoding.map(|encoding| (encoding, Decoder::new(encoding))),
            decoder_bytes: 0,
            splitter: Splitter::new(boundary),
            parts: content_type::check_length(boundary).map(|()| Parts::new(limits)),
            events: Vec::new(),
            inflated_bytes: 0,
            inflated_limit_bytes: limits.inflated_bytes,
            slice_bytes: 0,
            heavy,
        }
    }

    /// Takes the next frame of the body as it was sent.
    pub async fn take_frame<U: Upload>(
        &mut self,
        frame: Bytes,
        body: &mut U,
    ) -> Result<(), Failed<U::Error>> {
        if let Some((_, decoder)) = &self.decoder {
            self.decoder_bytes = decoder.memory_bytes();
            self.hold(0, body)?;
            return self.decode(&frame, false, body).await;
        }
        if let Ok(parts) = &mut self.parts {
            parts.next_frame(frame.len() as u64, true);
        }
        self.take_plain(frame, body).await
    }

    async fn decode<U: Upload>(
        &mut self,
        mut input: &[u8],
        is_end: bool,
        body: &mut U,
    ) -> Result<(), Failed<U::Error>> {
        while let Some((encoding, decoder)) = &mut self.decoder {
            let hint = Hint {
                wants_more: !self.splitter.is_complete(),
                is_end,
            };
            let step = decoder.decode(input, hint);
            let step = step.map_err(|Undecodable| encoding.malformed())?;
            self.decoder_bytes = decoder.memory_bytes();
            input = &input[step.done_bytes..];
            self.work(step.done_bytes).await;
            let is_done = step.next == Next::Input && input.is_empty();
            if let Next::Output(piece) = step.next {
                self.take_inflated(piece, body).await?;
            }
            self.hold(0, body)?;
            if is_done {
                break;
            }
        }
        Ok(())
    }

    async fn take_inflated<U: Upload>(
        &mut self,
        piece: Bytes,
        body: &mut U,
    ) -> Result<(), Failed<U::Error>> {
        self.inflated_bytes += piece.len() as u64;
        if self.inflated_bytes > self.inflated_limit_bytes {
            return Err(Failed::TooLarge);
        }
        if let Ok(parts) = &mut self.parts {
            parts.next_frame(weight::block(piece.len()), false);
        }
        self.take_plain(piece, body).await
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
        let bytes = weight::FORM + self.decoder_bytes + parts_bytes + more_bytes;
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
        self.decode(&[], true, body).await?;
        if let Some((encoding, decoder)) = self.decoder.take() {
            self.decoder_bytes = 0;
            let last = decoder.finish();
            let last = last.map_err(|Undecodable| encoding.malformed())?;
            self.take_inflated(last, body).await?;
        }
        let parts = self.parts?;
        let weight_bytes = parts.weight();
        let gathered = if self.splitter.is_complete() {
            parts.finish()
        } else {
            // A document of many megabytes is looked at once more.
            let reason = self.heavy.run(weight_bytes, || parts.cut_short()).await;
            Err(reason)
        };
        body.hold(weight_bytes).map_err(Failed::Body)?;
        Ok((gathered?, weight_bytes))
    }
}
