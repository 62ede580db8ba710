//! Products of two matrices by tiles of one cube.

use cubecl::client::Client;
use cubecl::prelude::*;

/// Rows and columns that one unit computes.
pub const MICRO: usize = 4;

/// Terms of the sums that are in shared memory at once.
pub const DEPTH: usize = 16;

/// Most units of a cube in each direction.
const MOST_UNITS: usize = 16;

/// A cube of `units_y x units_x` units, which computes `MICRO units_y` rows and `MICRO units_x` columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tile {
    pub units_x: usize,
    pub units_y: usize,
}

impl Tile {
    /// The largest cube that the device allows.
    pub fn largest(client: &Client) -> Self {
        let hardware = &client.properties().hardware;
        let most = |limit: u32| 1 << MOST_UNITS.min(limit as usize).ilog2();
        let mut tile = Self {
            units_x: most(hardware.max_cube_dim.0),
            units_y: most(hardware.max_cube_dim.1),
        };
        while tile.units_x * tile.units_y > hardware.max_units_per_cube as usize {
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

    /// Rows that the cube computes.
    pub fn rows(&self) -> usize {
        MICRO * self.units_y
    }

    /// Columns that the cube computes.
    pub fn columns(&self) -> usize {
        MICRO * self.units_x
    }

    /// The cube's dimensions.
    pub fn cube_dim(&self) -> CubeDim {
        CubeDim::new_2d(self.units_x as u32, self.units_y as u32)
    }
}

/// Copies a part of a matrix to shared memory as `[DEPTH, len]`, zeros outside of it: `len` positions from `first` of `count`,
/// and `DEPTH` from `depth` of `depths`. The element of a position and a depth is at
/// `start + position across + depth along`; adjacent units read adjacent positions if `by_position`.
#[cube]
pub fn load<T: Float>(
    source: &Tensor<T>,
    tile: &mut Shared<[f32]>,
    start: usize,
    across: usize,
    along: usize,
    first: usize,
    count: usize,
    depth: usize,
    depths: usize,
    #[comptime] len: usize,
    #[comptime] by_position: bool,
    #[comptime] units: usize,
) {
    let mut at = UNIT_POS as usize;
    while at < comptime![len * DEPTH] {
        let mut position = at / DEPTH;
        let mut step = at % DEPTH;
        if comptime![by_position] {
            position = at % len;
            step = at / len;
        }
        let mut value = 0.0f32;
        if first + position < count && depth + step < depths {
            let place = start + (first + position) * across + (depth + step) * along;
            value = f32::cast_from(source[place]);
        }
        tile[step * comptime![len + 1] + position] = value;
        at += units;
    }
}

/// Adds the products of two tiles to a unit's sums `[MICRO, MICRO]`.
#[cube]
pub fn multiply(
    left: &Shared<[f32]>,
    right: &Shared<[f32]>,
    sums: &mut Array<f32>,
    #[comptime] shape: Tile,
) {
    let (unit_x, unit_y) = (UNIT_POS_X as usize, UNIT_POS_Y as usize);
    let mut of_left = Array::<f32>::new(MICRO);
    let mut of_right = Array::<f32>::new(MICRO);
    for depth in 0..DEPTH {
        #[unroll]
        for i in 0..MICRO {
            let row = unit_y + i * comptime![shape.units_y];
            of_left[i] = left[depth * comptime![shape.rows() + 1] + row];
            let column = unit_x + i * comptime![shape.units_x];
            of_right[i] = right[depth * comptime![shape.columns() + 1] + column];
        }
        #[unroll]
        for i in 0..MICRO {
            #[unroll]
            for j in 0..MICRO {
                sums[i * MICRO + j] += of_left[i] * of_right[j];
            }
        }
    }
}

/// Writes a unit's sums to the rows below `rows` and the columns below `columns` of a matrix that begins at `start`.
#[cube]
pub fn store<T: Float>(
    sums: &Array<f32>,
    out: &mut Tensor<T>,
    start: usize,
    first_row: usize,
    rows: usize,
    first_column: usize,
    columns: usize,
    #[comptime] shape: Tile,
) {
    #[unroll]
    for i in 0..MICRO {
        let row = first_row + UNIT_POS_Y as usize + i * comptime![shape.units_y];
        #[unroll]
        for j in 0..MICRO {
            let column = first_column + UNIT_POS_X as usize + j * comptime![shape.units_x];
            if row < rows && column < columns {
                out[start + row * columns + column] = T::cast_from(sums[i * MICRO + j]);
            }
        }
    }
}
