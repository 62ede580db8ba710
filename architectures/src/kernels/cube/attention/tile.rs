//! Tiles in shared memory, and the products of their rows.

use cubecl::client::Client;
use cubecl::prelude::*;

/// Rows and columns of a product that one unit computes.
pub const MICRO: usize = 4;

/// Most units of a cube in each direction.
const MOST_UNITS: usize = 16;

/// A cube of `units_y x units_x` units and its tiles: `MICRO units_y` rows of one operand and `MICRO units_x` of the other,
/// all of `head_dim` elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tile {
    pub head_dim: usize,
    pub units_x: usize,
    pub units_y: usize,
}

impl Tile {
    /// The largest tile for which `floats` is the size of a cube's shared memory and the device has enough.
    ///
    /// # Panics
    ///
    /// If the device's shared memory is too small for a tile of one unit.
    pub fn largest(client: &Client, head_dim: usize, floats: impl Fn(&Self) -> usize) -> Self {
        let hardware = &client.properties().hardware;
        let most_units = hardware.max_units_per_cube as usize;
        let most_floats = hardware.max_shared_memory_size / size_of::<f32>();
        let most_x = MOST_UNITS.min(hardware.max_cube_dim.0 as usize);
        let most_y = MOST_UNITS.min(hardware.max_cube_dim.1 as usize);
        let mut tile = Self {
            head_dim,
            units_x: 1 << most_x.ilog2(),
            units_y: 1 << most_y.ilog2(),
        };
        while tile.units() > most_units || floats(&tile) > most_floats {
            assert!(
                tile.units() > 1,
                "attention of heads of width {head_dim} needs more shared memory than the device's {} bytes; choose narrower heads",
                hardware.max_shared_memory_size
            );
            match tile.units_y >= tile.units_x {
                true => tile.units_y /= 2,
                false => tile.units_x /= 2,
            }
        }
        tile
    }

    /// Units of the cube.
    pub fn units(&self) -> usize {
        self.units_x * self.units_y
    }

    /// Rows of the operand whose rows are the rows of a product.
    pub fn rows(&self) -> usize {
        MICRO * self.units_y
    }

    /// Rows of the operand whose rows are the columns of a product.
    pub fn columns(&self) -> usize {
        MICRO * self.units_x
    }

    /// Elements of a row that one unit accumulates.
    pub fn share(&self) -> usize {
        self.head_dim.div_ceil(self.units_x)
    }

    /// Elements between the rows of an operand; odd, so that units that read one column of adjacent rows read different banks.
    pub fn stride(&self) -> usize {
        (self.share() * self.units_x) | 1
    }

    /// Elements between the rows of a product.
    pub fn product_stride(&self) -> usize {
        self.columns() + 1
    }

    /// The cube's dimensions.
    pub fn cube_dim(&self) -> CubeDim {
        CubeDim::new_2d(self.units_x as u32, self.units_y as u32)
    }
}

/// Copies the rows `first_row ..` of a head to shared memory; zeros after the last of `seq` rows and after the last
/// element of a row. `start` is the place of the head's first row, `step` the distance between its rows.
#[cube]
pub fn load_rows<T: Float>(
    source: &Tensor<T>,
    tile: &mut Shared<[f32]>,
    start: usize,
    step: usize,
    first_row: usize,
    seq: usize,
    #[comptime] rows: usize,
    #[comptime] shape: Tile,
) {
    let width = comptime![shape.share() * shape.units_x];
    let mut at = UNIT_POS as usize;
    while at < comptime![rows * width] {
        let row = at / width;
        let column = at % width;
        let mut value = 0.0f32;
        if first_row + row < seq && column < comptime![shape.head_dim] {
            value = f32::cast_from(source[start + (first_row + row) * step + column]);
        }
        tile[row * comptime![shape.stride()] + column] = value;
        at += comptime![shape.units()];
    }
}

/// A unit's part of the products of rows of two operands, `[MICRO, MICRO]`: rows `unit + units i` of either.
#[cube]
pub fn row_products(
    left: &Shared<[f32]>,
    right: &Shared<[f32]>,
    out: &mut Array<f32>,
    #[comptime] shape: Tile,
) {
    let (unit_x, unit_y) = (UNIT_POS_X as usize, UNIT_POS_Y as usize);
    let mut of_left = Array::<f32>::new(MICRO);
    let mut of_right = Array::<f32>::new(MICRO);
    #[unroll]
    for i in 0..comptime![MICRO * MICRO] {
        out[i] = 0.0f32;
    }
    for depth in 0..comptime![shape.head_dim] {
        #[unroll]
        for i in 0..MICRO {
            let row = unit_y + i * comptime![shape.units_y];
            of_left[i] = left[row * comptime![shape.stride()] + depth];
            let row = unit_x + i * comptime![shape.units_x];
            of_right[i] = right[row * comptime![shape.stride()] + depth];
        }
        #[unroll]
        for i in 0..MICRO {
            #[unroll]
            for j in 0..MICRO {
                out[i * MICRO + j] += of_left[i] * of_right[j];
            }
        }
    }
}

/// Adds to a unit's part of `factors [rows, columns]` times `operand [columns, head_dim]`, `[MICRO, share]`.
#[cube]
pub fn add_product(
    factors: &Shared<[f32]>,
    operand: &Shared<[f32]>,
    sum: &mut Array<f32>,
    #[comptime] shape: Tile,
) {
    let (unit_x, unit_y) = (UNIT_POS_X as usize, UNIT_POS_Y as usize);
    let mut of_rows = Array::<f32>::new(MICRO);
    for column in 0..comptime![shape.columns()] {
        #[unroll]
        for i in 0..MICRO {
            let row = unit_y + i * comptime![shape.units_y];
            of_rows[i] = factors[row * comptime![shape.product_stride()] + column];
        }
        #[unroll]
        for part in 0..comptime![shape.share()] {
            let element = unit_x + part * comptime![shape.units_x];
            let value = operand[column * comptime![shape.stride()] + element];
            #[unroll]
            for i in 0..MICRO {
                sum[i * comptime![shape.share()] + part] += of_rows[i] * value;
            }
        }
    }
}

/// Writes a unit's part of rows of a head, `[MICRO, share]`, each times its row's factor.
#[cube]
pub fn store_rows<T: Float>(
    sum: &Array<f32>,
    factors: &Array<f32>,
    out: &mut Tensor<T>,
    start: usize,
    step: usize,
    first_row: usize,
    seq: usize,
    #[comptime] shape: Tile,
) {
    let (unit_x, unit_y) = (UNIT_POS_X as usize, UNIT_POS_Y as usize);
    #[unroll]
    for i in 0..MICRO {
        let row = first_row + unit_y + i * comptime![shape.units_y];
        #[unroll]
        for part in 0..comptime![shape.share()] {
            let element = unit_x + part * comptime![shape.units_x];
            if row < seq && element < comptime![shape.head_dim] {
                let value = sum[i * comptime![shape.share()] + part] * factors[i];
                out[start + row * step + element] = T::cast_from(value);
            }
        }
    }
}

/// An array of zeros in a unit's registers.
#[cube]
pub fn zeros(#[comptime] len: usize) -> Array<f32> {
    let mut values = Array::<f32>::new(len);
    #[unroll]
    for i in 0..len {
        values[i] = 0.0f32;
    }
    values
}
