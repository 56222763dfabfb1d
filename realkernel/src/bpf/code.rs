//! An assembler for the few instructions that a look takes (Documentation/bpf/standardization/instruction-set.rst).

/// A register. 0 holds what a call gave, 1 to 5 are its arguments and lost by it, 6 to 9 are kept.
#[derive(Clone, Copy)]
pub(super) struct R(pub(super) u8);

/// The end of the stack.
pub(super) const STACK: R = R(10);

/// How wide a value in memory is.
#[derive(Clone, Copy)]
pub(super) enum Width {
    Byte = 0x10,
    Half = 0x08,
    Word = 0x00,
    Double = 0x18,
}

/// When a jump is taken.
#[derive(Clone, Copy)]
pub(super) enum When {
    Zero,
    NotZero,
    AtLeast(i32),
    Below(R),
    Differs(R),
}

/// A jump whose target comes later.
#[must_use]
pub(super) struct Forward(usize);

/// Functions of the kernel that have a fixed number (include/uapi/linux/bpf.h, `__BPF_FUNC_MAPPER`).
#[derive(Clone, Copy)]
pub(super) enum Helper {
    ProbeReadKernel = 113,
    GetCurrentTaskBtf = 158,
}

/// Instructions, each in its 64 bits.
#[derive(Default)]
pub(super) struct Code(Vec<u64>);

impl Code {
    fn emit(&mut self, code: u8, to: R, from: R, offset: i16, immediate: i32) {
        let registers = to.0 | from.0 << 4;
        let [low, high] = offset.to_le_bytes();
        let [a, b, c, d] = immediate.to_le_bytes();
        self.0.push(u64::from_le_bytes([code, registers, low, high, a, b, c, d]));
    }

    /// The address of the value of a map, by the descriptor of the map.
    pub(super) fn address_of_map(&mut self, to: R, map: i32) {
        const PSEUDO_MAP_VALUE: R = R(2);
        self.emit(0x18, to, PSEUDO_MAP_VALUE, 0, map);
        self.emit(0, R(0), R(0), 0, 0);
    }

    /// `to = *(from + offset)`
    pub(super) fn load(&mut self, width: Width, to: R, from: R, offset: i16) {
        self.emit(0x61 | width as u8, to, from, offset, 0);
    }

    /// `*(to + offset) = from`, all of its 64 bits.
    pub(super) fn store(&mut self, to: R, offset: i16, from: R) {
        self.emit(0x63 | Width::Double as u8, to, from, offset, 0);
    }

    /// `to = from`
    pub(super) fn copy(&mut self, to: R, from: R) {
        self.emit(0xbf, to, from, 0, 0);
    }

    /// `to = value`
    pub(super) fn set(&mut self, to: R, value: i32) {
        self.emit(0xb7, to, R(0), 0, value);
    }

    /// `to += value`
    pub(super) fn add(&mut self, to: R, value: i32) {
        self.emit(0x07, to, R(0), 0, value);
    }

    /// `to += from`
    pub(super) fn add_register(&mut self, to: R, from: R) {
        self.emit(0x0f, to, from, 0, 0);
    }

    /// `to -= from`
    pub(super) fn subtract_register(&mut self, to: R, from: R) {
        self.emit(0x1f, to, from, 0, 0);
    }

    /// `to *= value`
    pub(super) fn multiply(&mut self, to: R, value: i32) {
        self.emit(0x27, to, R(0), 0, value);
    }

    /// `to = STACK + offset`
    pub(super) fn address_on_stack(&mut self, to: R, offset: i32) {
        self.copy(to, STACK);
        self.add(to, offset);
    }

    /// Calls a helper.
    pub(super) fn call(&mut self, helper: Helper) {
        self.emit(0x85, R(0), R(0), 0, helper as i32);
    }

    /// Calls a function of the kernel by its number in the BTF.
    pub(super) fn call_kernel(&mut self, function: i32) {
        const PSEUDO_KFUNC_CALL: R = R(2);
        self.emit(0x85, R(0), PSEUDO_KFUNC_CALL, 0, function);
    }

    /// Jumps if it is so, to a place that comes later.
    pub(super) fn jump(&mut self, register: R, when: When) -> Forward {
        let from = self.0.len();
        match when {
            When::Zero => self.emit(0x15, register, R(0), 0, 0),
            When::NotZero => self.emit(0x55, register, R(0), 0, 0),
            When::AtLeast(value) => self.emit(0x35, register, R(0), 0, value),
            When::Below(other) => self.emit(0xad, register, other, 0, 0),
            When::Differs(other) => self.emit(0x5d, register, other, 0, 0),
        }
        Forward(from)
    }

    /// Lets a jump lead here.
    pub(super) fn land(&mut self, Forward(from): Forward) {
        self.0[from] |= to_offset(self.0.len() as i64 - from as i64 - 1);
    }

    /// Where the next instruction will be.
    pub(super) fn here(&self) -> usize {
        self.0.len()
    }

    /// Jumps back.
    pub(super) fn back_to(&mut self, place: usize) {
        let distance = place as i64 - self.0.len() as i64 - 1;
        self.emit(0x05, R(0), R(0), distance as i16, 0);
    }

    /// Ends the program with what register 0 holds.
    pub(super) fn exit(&mut self) {
        self.emit(0x95, R(0), R(0), 0, 0);
    }

    /// What bpf(2) takes.
    pub(super) fn instructions(&self) -> &[u64] {
        &self.0
    }
}

/// The distance of a jump, at its place in the instruction.
fn to_offset(distance: i64) -> u64 {
    u64::from(distance as i16 as u16) << 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_as_the_standard_writes_them() {
        let mut code = Code::default();
        code.load(Width::Word, R(1), R(9), -2);
        let end = code.jump(R(3), When::Below(R(1)));
        code.store(R(8), 16, R(1));
        code.back_to(0);
        code.land(end);
        code.exit();
        let bytes: Vec<[u8; 8]> = code.instructions().iter().map(|one| one.to_le_bytes()).collect();
        assert_eq!(
            bytes,
            [
                [0x61, 0x91, 0xfe, 0xff, 0, 0, 0, 0],
                [0xad, 0x13, 2, 0, 0, 0, 0, 0],
                [0x7b, 0x18, 16, 0, 0, 0, 0, 0],
                [0x05, 0, 0xfc, 0xff, 0, 0, 0, 0],
                [0x95, 0, 0, 0, 0, 0, 0, 0],
            ]
        );
    }
}
